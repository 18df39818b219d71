import { type Bytes, toBuffer } from '../files/bytes.js'
import { describe, SystemError } from '../files/errno.js'
import type { OpenFile } from '../files/open-file.js'
import { openFor } from '../shell/redirect.js'
import type { Call, Program } from '../system/programs.js'
import { writeTo } from './io.js'
import { readOptions } from './options.js'

const blockBytes = 65_536

/** Says what is wrong, as programs do: `name: message`. */
export async function complain(call: Call, message: string): Promise<1> {
  await writeTo(call.process, 2, `${call.name.split('/').at(-1)}: ${message}\n`)
  return 1
}

/** Opens a file for reading, `-` being standard input. */
export function openInput(call: Call, path: Bytes): OpenFile {
  if (path === '-') return call.process.files.need(0).retain()
  return openFor(call.system, call.process, path, { read: true })
}

/** Hands each input file to `use`; says which cannot be read. Resolves to the exit code. */
export async function eachInput(
  call: Call,
  paths: readonly Bytes[],
  use: (file: OpenFile, path: Bytes) => Promise<void>,
): Promise<number> {
  let status = 0
  for (const path of paths.length > 0 ? paths : ['-']) {
    let file: OpenFile | undefined
    try {
      file = openInput(call, path)
      await use(file, path)
    } catch (error) {
      if (!(error instanceof SystemError) || error.code === 'EPIPE') throw error
      status = await complain(call, `${path}: ${describe(error)}`)
    } finally {
      file?.release()
    }
  }
  return status
}

/** Every chunk of a file, to its end. */
export async function* chunks(call: Call, file: OpenFile): AsyncGenerator<Buffer> {
  for (;;) {
    await call.system.breathe(call.process)
    const chunk = await file.read(blockBytes, call.process.signal)
    if (chunk.length === 0) return
    yield chunk
  }
}

const cat: Program = async call => {
  const { operands } = readOptions(call.args, 'u')
  const output = call.process.files.need(1)
  return eachInput(call, operands, async file => {
    for await (const chunk of chunks(call, file)) await output.write(chunk, call.process.signal)
  })
}

const head: Program = async call => {
  const args = call.args.map(arg => (/^-\d+$/.test(arg) ? `-n${arg.slice(1)}` : arg))
  const options = readOptions(args, 'c:n:qv', { bytes: 'c', lines: 'n', quiet: 'q' })
  const output = call.process.files.need(1)
  const byBytes = options.has('c')
  const limit = size(options.value(byBytes ? 'c' : 'n') ?? '10')
  const several = options.operands.length > 1 && !options.has('q')
  let first = true
  return eachInput(call, options.operands, async (file, path) => {
    if (several) await writeTo(call.process, 1, `${first ? '' : '\n'}==> ${path} <==\n`)
    first = false
    let left = limit
    while (left > 0) {
      const chunk = await file.read(byBytes ? Math.min(left, blockBytes) : blockBytes, call.process.signal)
      if (chunk.length === 0) return
      const part = byBytes ? chunk : chunk.subarray(0, lineEnd(chunk, left))
      left -= byBytes ? part.length : part.reduce((lines, byte) => lines + (byte === 10 ? 1 : 0), 0)
      await output.write(part, call.process.signal)
    }
  })
}

function lineEnd(chunk: Buffer, lines: number): number {
  let at = 0
  for (let line = 0; line < lines; line++) {
    const next = chunk.indexOf(10, at)
    if (next < 0) return chunk.length
    at = next + 1
  }
  return at
}

const units: Readonly<Record<string, number>> = {
  '': 1,
  c: 1,
  w: 2,
  b: 512,
  kB: 1000,
  K: 1024,
  k: 1024,
  KiB: 1024,
  MB: 1e6,
  M: 1_048_576,
  MiB: 1_048_576,
  G: 1_073_741_824,
  GB: 1e9,
  GiB: 1_073_741_824,
}

/** A size as coreutils read it, e.g. `4k`; NaN where it is none. */
export function size(text: Bytes): number {
  return text.split('x').reduce((product, factor) => {
    const [, digits = '', unit = ''] = /^(\d+)([a-zA-Z]*)$/.exec(factor) ?? []
    return product * (digits === '' ? Number.NaN : Number(digits)) * (units[unit] ?? Number.NaN)
  }, 1)
}

const tee: Program = async call => {
  const options = readOptions(call.args, 'ai')
  const append = options.has('a')
  const outputs = [call.process.files.need(1).retain()]
  let status = 0
  for (const path of options.operands) {
    try {
      outputs.push(
        openFor(call.system, call.process, path, { write: true, create: true, append, truncate: !append }),
      )
    } catch (error) {
      status = await complain(call, `${path}: ${describe(error)}`)
    }
  }
  for await (const chunk of chunks(call, call.process.files.need(0))) {
    for (const output of outputs) await output.write(chunk, call.process.signal)
  }
  for (const output of outputs) output.release()
  return status
}

const yes: Program = async call => {
  const line = toBuffer(`${call.args.join(' ') || 'y'}\n`)
  const block = Buffer.concat(Array.from({ length: Math.max(1, Math.floor(4096 / line.length)) }, () => line))
  const output = call.process.files.need(1)
  for (;;) {
    await call.system.breathe(call.process)
    await output.write(block, call.process.signal)
  }
}

const tr: Program = async call => {
  const options = readOptions(call.args, '+cCds')
  const complement = options.has('c') || options.has('C')
  const from = set(options.operands[0] ?? '')
  const to = set(options.operands[1] ?? '')
  const inFirst = (byte: number): boolean => from.includes(byte) !== complement
  const squeezed = options.has('s')
    ? options.operands[1] === undefined || options.has('d')
      ? undefined
      : to
    : []
  const output = call.process.files.need(1)
  let last = -1
  for await (const chunk of chunks(call, call.process.files.need(0))) {
    const kept: number[] = []
    for (const byte of chunk) {
      const matched = inFirst(byte)
      if (options.has('d') && matched) continue
      let mapped = byte
      if (matched && !options.has('d') && to.length > 0) {
        const place = complement ? to.length - 1 : from.indexOf(byte)
        mapped = to[Math.min(place, to.length - 1)] ?? byte
      }
      const squeeze = squeezed === undefined ? inFirst(mapped) : squeezed.includes(mapped)
      if (squeeze && mapped === last) continue
      last = mapped
      kept.push(mapped)
    }
    if (kept.length > 0) await output.write(Buffer.from(kept), call.process.signal)
  }
  return 0
}

const trClasses: Readonly<Record<string, RegExp>> = {
  alnum: /[A-Za-z0-9]/,
  alpha: /[A-Za-z]/,
  blank: /[ \t]/,
  cntrl: /[\x00-\x1f\x7f]/,
  digit: /[0-9]/,
  graph: /[\x21-\x7e]/,
  lower: /[a-z]/,
  print: /[\x20-\x7e]/,
  punct: /[!-/:-@[-`{-~]/,
  space: /[ \t\n\r\f\v]/,
  upper: /[A-Z]/,
  xdigit: /[0-9A-Fa-f]/,
}

/** The bytes that a set of `tr` means, in order. */
function set(text: Bytes): number[] {
  const bytes: number[] = []
  const piece =
    /\[:([a-z]+):\]|(\\[0-7]{1,3}|\\[\s\S]|[\s\S])-(\\[0-7]{1,3}|\\[\s\S]|[\s\S])|(\\[0-7]{1,3}|\\[\s\S]|[\s\S])/g
  for (const [, name, low, high, one] of text.matchAll(piece)) {
    const kind = name === undefined ? undefined : trClasses[name]
    if (kind)
      for (let byte = 0; byte < 256; byte++) if (kind.test(String.fromCharCode(byte))) bytes.push(byte)
    if (low !== undefined && high !== undefined)
      for (let byte = trByte(low); byte <= trByte(high); byte++) bytes.push(byte)
    if (one !== undefined) bytes.push(trByte(one))
  }
  return bytes
}

function trByte(text: Bytes): number {
  if (!text.startsWith('\\') || text.length === 1) return text.charCodeAt(0)
  if (/^\\[0-7]/.test(text)) return Number.parseInt(text.slice(1), 8) & 0xff
  const known: Readonly<Record<string, number>> = { n: 10, t: 9, r: 13, f: 12, v: 11, a: 7, b: 8 }
  return known[text.charAt(1)] ?? text.charCodeAt(1)
}

/** Programs that pass bytes on as they come. */
export const streamPrograms: Readonly<Record<string, Program>> = { cat, head, tee, tr, yes }
