import { deserialize, serialize } from 'node:v8'
import type { RecordedCheck } from '../../api/expect.js'
import type { Environment } from '../../api/test.js'
import type { Family } from '../../config/model.js'
import type { TestParameters } from '../../config/parameters.js'
import type { ModuleCode } from '../../plan/suite.js'
import type { WireError } from './wire-error.js'

/** The descriptor on which a module's thread writes its frames, each at once and whole. */
export const frameDescriptor = 4

/** The objects of the API whose methods are carried out in the runner. */
export type Target = 'guest' | 'host' | 'peer'

/** What a module's thread tells the runner, in the order in which it happened. */
export type Frame =
  /** The thread is there, and begins to load the module. */
  | { readonly kind: 'started' }
  /** The module is loaded, and its body begins. */
  | { readonly kind: 'begun' }
  | { readonly kind: 'check'; readonly check: RecordedCheck }
  | { readonly kind: 'measure'; readonly name: string; readonly value: number }
  | { readonly kind: 'output'; readonly stream: 'stdout' | 'stderr'; readonly bytes: Uint8Array }
  | { readonly kind: 'attach'; readonly name: string; readonly bytes: Uint8Array }
  | CallFrame
  /** The module's action between the opening and the closing of a call has ended. */
  | { readonly kind: 'closed'; readonly id: number; readonly error: WireError | null }
  | {
      readonly kind: 'returned'
      /** Checks that were written until then. */
      readonly checks: number
      /** Values given to `expect` and not asked about. */
      readonly unfinished: number
      /** Calls that had not been answered. */
      readonly inFlight: readonly string[]
    }
  | { readonly kind: 'skipped'; readonly reason: string }
  /** `call` names the call whose error it is, when the module let one pass. */
  | { readonly kind: 'threw'; readonly error: WireError; readonly call: number | null }
  /** Something that the module did after its body had ended. */
  | { readonly kind: 'late'; readonly what: string }
  /** The thread has nothing left to do and ends by itself. */
  | { readonly kind: 'idle'; readonly checks: number }
  /** The body has returned, but something keeps the thread alive. */
  | { readonly kind: 'lingers'; readonly resources: readonly string[] }
  /** Written by the process when the thread is gone: the last frame of an attempt. */
  | { readonly kind: 'thread-ended'; readonly code: number; readonly error: WireError | null }

/** A call to the guest or its host. */
export interface CallFrame {
  readonly kind: 'call'
  readonly id: number
  readonly target: Target
  readonly method: string
  readonly args: readonly unknown[]
}

/** What the runner tells a module's thread. */
export type Reply =
  | { readonly kind: 'answer'; readonly id: number; readonly value: unknown }
  | { readonly kind: 'refusal'; readonly id: number; readonly error: WireError }
  /** The call is open: the module's action may begin. */
  | { readonly kind: 'opened'; readonly id: number }
  | { readonly kind: 'abort'; readonly error: WireError }

/** What a thread needs to begin. */
export interface Start {
  readonly token: number
  readonly test: string
  readonly parameters: TestParameters
  readonly code: ModuleCode
  readonly environment: Environment
  /** The family of its peer; `null` for a test without one. */
  readonly peerFamily: Family | null
  /** The plain properties of `guest`, `host` and `peer`. */
  readonly values: Readonly<Record<Target, Readonly<Record<string, unknown>>>>
  /** Names of the measures that the manifest declares. */
  readonly measures: readonly string[]
  /** How long the thread may live on after its body has returned. */
  readonly endMs: number
  /** Wait for a debugger before the body begins. */
  readonly inspect: boolean
}

/** Runner to host process. `payload` is what its thread is given. */
export type ToHost =
  | {
      readonly kind: 'start'
      readonly token: number
      readonly payload: Uint8Array
      readonly memoryBytes: number
      readonly inspect: boolean
    }
  | { readonly kind: 'reply'; readonly token: number; readonly payload: Uint8Array }
  | { readonly kind: 'terminate'; readonly token: number }

/** Host process to runner, beside the frames. */
export type FromHost =
  | { readonly kind: 'ended'; readonly token: number }
  | { readonly kind: 'memory'; readonly token: number; readonly bytes: number }
  | { readonly kind: 'debugger'; readonly url: string }

const headerBytes = 8
const maxFrameBytes = 512 * 1024 * 1024

/** A frame as it is written: the attempt's token and a length, and then the frame. */
export function encodeFrame(token: number, frame: Frame): Buffer {
  const body = serialize(frame)
  const header = Buffer.allocUnsafe(headerBytes)
  header.writeUInt32BE(token, 0)
  header.writeUInt32BE(body.length, 4)
  return Buffer.concat([header, body])
}

/** Takes frames out of a stream of bytes. Throws when the bytes are no frames of this attempt. */
export class FrameReader {
  readonly #token: number
  #parts: Buffer[] = []
  #bytes = 0

  constructor(token: number) {
    this.#token = token
  }

  push(chunk: Buffer): Frame[] {
    this.#parts.push(chunk)
    this.#bytes += chunk.length
    const frames: Frame[] = []
    for (let length = this.#nextLength(); length !== null; length = this.#nextLength()) {
      const all = this.#whole()
      frames.push(deserialize(all.subarray(headerBytes, headerBytes + length)) as Frame)
      this.#parts = [all.subarray(headerBytes + length)]
      this.#bytes = all.length - headerBytes - length
    }
    return frames
  }

  /** The length of the frame at the front; `null` until all of it has come. */
  #nextLength(): number | null {
    if (this.#bytes < headerBytes) {
      return null
    }
    const first = this.#parts[0]
    const head = first !== undefined && first.length >= headerBytes ? first : this.#whole()
    const length = head.readUInt32BE(4)
    if (head.readUInt32BE(0) !== this.#token || length > maxFrameBytes) {
      throw new RangeError('something else than frames was written')
    }
    return this.#bytes >= headerBytes + length ? length : null
  }

  #whole(): Buffer {
    const all = this.#parts.length === 1 ? this.#parts[0] : Buffer.concat(this.#parts)
    this.#parts = all === undefined ? [] : [all]
    return all ?? Buffer.alloc(0)
  }
}
