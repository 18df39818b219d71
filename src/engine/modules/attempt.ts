import { InfraError } from '../../config/errors.js'
import { deadlineSignal } from '../../deadline/deadline.js'
import type { Measure } from '../../journal/events.js'
import { anyOf } from '../../remote/index.js'
import type { SeenCheck } from '../outcome.js'
import type { CallServer } from './call-server.js'
import type { HostProcess, RunningAttempt, ThreadEnd } from './host-process.js'
import type { Frame, Start } from './wire.js'
import type { WireError } from './wire-error.js'

/** What a module said of its own end. */
export type Said =
  | {
      readonly kind: 'returned'
      readonly checks: number
      readonly unfinished: number
      readonly inFlight: readonly string[]
    }
  | { readonly kind: 'skipped'; readonly reason: string }
  /** `error` is the runner's own where it came from a call. */
  | { readonly kind: 'threw'; readonly error: WireError; readonly infra: InfraError | null }

/** Why an attempt was ended before its thread had ended by itself. */
export type Interruption =
  | { readonly kind: 'limit'; readonly error: unknown; readonly isWaiting: boolean }
  | { readonly kind: 'lingers'; readonly resources: readonly string[] }

/** All that was observed of one attempt of a module. */
export interface ModuleFacts {
  readonly hasBegun: boolean
  readonly checks: readonly SeenCheck[]
  readonly measures: Readonly<Record<string, Measure>>
  readonly said: Said | null
  /** Checks that the thread counted when it had nothing left to do; `null` when it never said so. */
  readonly idleAt: number | null
  /** What the module did after its end. */
  readonly late: readonly string[]
  readonly thread: ThreadEnd | null
  readonly interruption: Interruption | null
}

/** What an attempt needs beside its start. */
export interface AttemptRequest {
  readonly process: HostProcess
  readonly start: Omit<Start, 'token'>
  readonly units: Readonly<Record<string, string>>
  readonly limits: {
    readonly start: number
    readonly test: number
    readonly memory: number
    readonly stop: number
  }
  readonly stop: AbortSignal
  readonly broken: AbortSignal
  /** Makes the server of its calls, once replies have somewhere to go. */
  readonly serve: (attempt: Pick<RunningAttempt, 'reply'>) => CallServer
  readonly output: (stream: 'stdout' | 'stderr', bytes: Buffer) => void
  readonly attach: (name: string, bytes: Buffer) => void
  readonly debuggerAt: (url: string) => void
  /** Ends what its calls do on guest and host. */
  readonly abortCalls: (reason: unknown) => void
}

/** More than a thread needs to say that it lingers. */
const graceMs = 2_000

/**
 * Runs one attempt and observes it to its end: when this resolves, the thread is gone, its calls have ended, and no
 * frame comes any more. Never throws for what a module does.
 */
export async function runAttempt(request: AttemptRequest): Promise<ModuleFacts> {
  const { process, start, units, limits } = request
  const checks: SeenCheck[] = []
  const measures: Record<string, Measure> = {}
  const late: string[] = []
  let hasBegun = false
  let said: Said | null = null
  let idleAt: number | null = null
  let thread: ThreadEnd | null = null
  let interruption: Interruption | null = null
  const [started, decided] = [new AbortController(), new AbortController()]
  let grace: NodeJS.Timeout | undefined

  const say = (end: Said): void => {
    said ??= end
    const goesOn = end.kind === 'returned' && end.inFlight.length === 0
    if (!goesOn) {
      decided.abort()
      return
    }
    grace = setTimeout(() => {
      interruption = { kind: 'lingers', resources: [] }
      decided.abort()
    }, start.endMs + graceMs)
  }
  const take = (frame: Frame): void => {
    switch (frame.kind) {
      case 'started':
        started.abort()
        break
      case 'begun':
        hasBegun = true
        break
      case 'check':
        if (said === null) checks.push(frame.check)
        break
      case 'measure': {
        const unit = units[frame.name]
        if (unit !== undefined) measures[frame.name] = { value: frame.value, unit }
        break
      }
      case 'output':
        request.output(frame.stream, Buffer.from(frame.bytes))
        break
      case 'attach':
        if (said === null) request.attach(frame.name, Buffer.from(frame.bytes))
        break
      case 'call':
        if (said === null) server.begin(frame)
        break
      case 'closed':
        server.close(frame)
        break
      case 'returned':
        say(frame)
        break
      case 'skipped':
        say(frame)
        break
      case 'threw': {
        const known = frame.call === null ? undefined : server.errorOf(frame.call)
        say({ kind: 'threw', error: frame.error, infra: known instanceof InfraError ? known : null })
        break
      }
      case 'late':
        late.push(frame.what)
        break
      case 'idle':
        idleAt = frame.checks
        break
      case 'lingers':
        interruption = { kind: 'lingers', resources: frame.resources }
        decided.abort()
        break
    }
  }
  const attempt = process.run(start, limits.memory, {
    frame: take,
    output: request.output,
    debuggerAt: request.debuggerAt,
  })
  const server = request.serve(attempt)
  const ended = attempt.ended.then(how => {
    thread = how
    decided.abort()
  })
  // A busy runner has its own time to start a thread: what the test may take begins with the module's first line.
  const starting = deadlineSignal({
    name: 'moduleStart',
    ms: limits.start,
    where: start.test,
    cause: 'runner',
    signal: request.stop,
    also: request.broken,
  })
  let reached = await firstOf(starting.signal, started.signal, decided.signal)
  starting.clear()
  if (reached === started.signal) {
    const limit = deadlineSignal({
      name: 'test',
      ms: limits.test,
      where: start.test,
      signal: request.stop,
      also: request.broken,
    })
    reached = await firstOf(limit.signal, decided.signal)
    limit.clear()
  }
  if (reached !== decided.signal) {
    interruption = { kind: 'limit', error: reached.reason, isWaiting: server.running > 0 }
  }
  clearTimeout(grace)
  request.abortCalls(reached === decided.signal ? new Error('the test has ended') : reached.reason)
  await Promise.all([endThread(attempt, process, thread !== null, ended, limits.stop), server.end()])
  return { hasBegun, checks, measures, said, idleAt, late, thread, interruption }
}

/** The first of these that aborts. */
async function firstOf(...signals: readonly AbortSignal[]): Promise<AbortSignal> {
  const any = anyOf(...signals)
  await new Promise<void>(resolve => {
    if (any.signal.aborted) resolve()
    else any.signal.addEventListener('abort', () => resolve(), { once: true })
  })
  any.clear()
  return signals.find(({ aborted }) => aborted) ?? any.signal
}

/** Ends the thread; when that cannot be done, its process. */
async function endThread(
  attempt: RunningAttempt,
  process: HostProcess,
  isGone: boolean,
  ended: Promise<void>,
  stopMs: number,
): Promise<void> {
  if (isGone) {
    return
  }
  attempt.terminate()
  const timer = setTimeout(() => process.kill(), stopMs)
  await ended
  clearTimeout(timer)
}
