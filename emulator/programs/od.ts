import type { Bytes } from '../files/bytes.js'
import type { Program } from '../system/programs.js'
import { writeTo } from './io.js'
import { readOptions } from './options.js'
import { chunks, complain, eachInput, size } from './streams.js'

/** How one unit of so many bytes is shown. */
interface Format {
  readonly bytes: number
  readonly width: number
  show(unit: Buffer): string
}

const named: Readonly<Record<number, string>> = {
  0: '\\0',
  7: '\\a',
  8: '\\b',
  9: '\\t',
  10: '\\n',
  11: '\\v',
  12: '\\f',
  13: '\\r',
}

function integerFormat(kind: string, bytes: number): Format {
  const unsigned = (unit: Buffer): bigint => {
    let value = 0n
    for (let at = bytes - 1; at >= 0; at--) value = (value << 8n) | BigInt(unit[at] ?? 0)
    return value
  }
  switch (kind) {
    case 'x':
      return {
        bytes,
        width: bytes * 2,
        show: unit =>
          unsigned(unit)
            .toString(16)
            .padStart(bytes * 2, '0'),
      }
    case 'o': {
      const width = Math.ceil((bytes * 8) / 3)
      return { bytes, width, show: unit => unsigned(unit).toString(8).padStart(width, '0') }
    }
    case 'u': {
      const width = String(2n ** BigInt(bytes * 8) - 1n).length
      return { bytes, width, show: unit => unsigned(unit).toString() }
    }
    default: {
      const width = String(2n ** BigInt(bytes * 8 - 1)).length + 1
      return { bytes, width, show: unit => BigInt.asIntN(bytes * 8, unsigned(unit)).toString() }
    }
  }
}

const characters: Format = {
  bytes: 1,
  width: 3,
  show: unit => {
    const byte = unit[0] ?? 0
    return (
      named[byte] ??
      (byte >= 32 && byte < 127 ? String.fromCharCode(byte) : byte.toString(8).padStart(3, '0'))
    )
  },
}

const sizes: Readonly<Record<string, number>> = { C: 1, S: 2, I: 4, L: 8 }

function readFormat(text: Bytes): Format | undefined {
  if (/^[ac]/.test(text)) return characters
  const [, kind, digits] = /^([xoud])([1248CSIL])?/.exec(text) ?? []
  if (kind === undefined) return undefined
  return integerFormat(kind, digits === undefined ? 4 : (sizes[digits] ?? Number(digits)))
}

/** The old single-letter options and what they mean. */
const short: Readonly<Record<string, string>> = {
  b: 'o1',
  c: 'c',
  d: 'u2',
  o: 'o2',
  x: 'x2',
  i: 'd4',
  l: 'd8',
}

const od: Program = async call => {
  const options = readOptions(call.args, 'A:t:N:j:w:vbcdoxilan:', {
    'address-radix': 'A',
    format: 't',
    'read-bytes': 'N',
    'skip-bytes': 'j',
    width: 'w',
  })
  const letter = Object.keys(short).find(it => options.has(it))
  const format = readFormat(options.value('t') ?? short[letter ?? 'o'] ?? 'o2')
  if (!format) return complain(call, `invalid type string '${options.value('t')}'`)
  const limit = options.has('N') ? size(options.value('N') ?? '') : Number.POSITIVE_INFINITY
  let skip = options.has('j') ? size(options.value('j') ?? '') : 0
  const radix = { d: 10, o: 8, x: 16 }[options.value('A') ?? 'o']
  const parts: Buffer[] = []
  let got = 0
  const status = await eachInput(call, options.operands, async file => {
    if (limit === 0) return
    const bounded = Number.isFinite(limit)
    for (;;) {
      if (got >= limit + skip) return
      const part = bounded
        ? await file.read(Math.min(65_536, limit + skip - got), call.process.signal)
        : undefined
      if (part) {
        if (part.length === 0) return
        parts.push(part)
        got += part.length
        continue
      }
      for await (const chunk of chunks(call, file)) {
        parts.push(chunk)
        got += chunk.length
      }
      return
    }
  })
  const data = Buffer.concat(parts).subarray(skip, skip + (Number.isFinite(limit) ? limit : got))
  const row = Number(options.value('w') ?? 16)
  const address = (at: number): string =>
    radix === undefined ? '' : (at + skip).toString(radix).padStart(radix === 16 ? 6 : 7, '0')
  let text = ''
  let before = ''
  let starred = false
  for (let at = 0; at < data.length; at += row) {
    const line = data.subarray(at, at + row)
    const cells: string[] = []
    for (let unit = 0; unit < line.length; unit += format.bytes) {
      cells.push(
        format
          .show(Buffer.concat([line.subarray(unit, unit + format.bytes), Buffer.alloc(8)]))
          .padStart(format.width),
      )
    }
    const shown = cells.map(cell => ` ${cell}`).join('')
    if (shown === before && line.length === row && !options.has('v')) {
      if (!starred) text += '*\n'
      starred = true
      continue
    }
    text += `${address(at)}${shown}\n`
    before = shown
    starred = false
  }
  if (radix !== undefined) text += `${address(data.length)}\n`
  skip = 0
  await writeTo(call.process, 1, text)
  return status
}

export const odPrograms: Readonly<Record<string, Program>> = { od }
