import type { Program } from '../system/programs.js'
import { writeTo } from './io.js'
import { readOptions } from './options.js'
import { chunks, complain, eachInput, size } from './streams.js'

/** What `tail` gives of a file: so much from its end, or with `+` all from that place on. */
interface Part {
  readonly byBytes: boolean
  readonly fromStart: boolean
  readonly count: number
}

function partOf(text: string, byBytes: boolean): Part {
  const [, sign = '', amount = ''] = /^([+-]?)(.*)$/.exec(text) ?? []
  return { byBytes, fromStart: sign === '+', count: size(amount) }
}

function cut(bytes: Buffer, { byBytes, fromStart, count }: Part): Buffer {
  if (byBytes) {
    if (fromStart) return bytes.subarray(Math.max(0, count - 1))
    return count === 0 ? Buffer.alloc(0) : bytes.subarray(-count)
  }
  if (fromStart) {
    let at = 0
    for (let line = 1; line < count; line++) {
      const end = bytes.indexOf(10, at)
      if (end < 0) return Buffer.alloc(0)
      at = end + 1
    }
    return bytes.subarray(at)
  }
  // The end of the last line begins no other.
  let at = bytes.at(-1) === 10 ? bytes.length - 1 : bytes.length
  for (let line = 0; line < count; line++) {
    const end = at <= 0 ? -1 : bytes.lastIndexOf(10, at - 1)
    if (end < 0) return bytes
    at = end
  }
  return bytes.subarray(count === 0 ? bytes.length : at + 1)
}

/** `tail` without `-f`. */
export const tail: Program = async call => {
  // As tail was called before there were options.
  const args = call.args.map((arg, place) =>
    place === 0 && /^[-+]\d+$/.test(arg) ? `-n${arg.replace(/^-/, '')}` : arg,
  )
  const options = readOptions(args, 'c:n:qv', { bytes: 'c', lines: 'n', quiet: 'q' })
  if (options.mistake !== undefined) return complain(call, options.mistake)
  const part = partOf(options.value('c') ?? options.value('n') ?? '10', options.has('c'))
  if (Number.isNaN(part.count)) {
    return complain(call, `invalid number of ${part.byBytes ? 'bytes' : 'lines'}`)
  }
  const several = (options.operands.length > 1 || options.has('v')) && !options.has('q')
  let first = true
  return eachInput(call, options.operands, async (file, path) => {
    const read: Buffer[] = []
    for await (const chunk of chunks(call, file)) read.push(chunk)
    if (several) await writeTo(call.process, 1, `${first ? '' : '\n'}==> ${path} <==\n`)
    first = false
    await call.process.files.need(1).write(cut(Buffer.concat(read), part), call.process.signal)
  })
}
