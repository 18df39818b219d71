import { createHash } from 'node:crypto'
import type { Bytes } from '../files/bytes.js'
import { fromBuffer } from '../files/bytes.js'
import { describe, SystemError } from '../files/errno.js'
import type { OpenFile } from '../files/open-file.js'
import type { Call, Program } from '../system/programs.js'
import { writeTo } from './io.js'
import { readOptions } from './options.js'
import { chunks, complain, eachInput, openInput } from './streams.js'

async function hash(call: Call, file: OpenFile, algorithm: string): Promise<string> {
  const digest = createHash(algorithm)
  for await (const chunk of chunks(call, file)) digest.update(chunk)
  return digest.digest('hex')
}

/** `md5sum` and its kin, with `-c`. */
function summer(algorithm: string): Program {
  return async call => {
    const options = readOptions(call.args, 'bctw', {
      check: 'c',
      status: 's',
      quiet: 'q',
      binary: 'b',
      text: 't',
    })
    if (options.has('c')) return check(call, options.operands, algorithm, options.has('s'))
    return eachInput(call, options.operands, async (file, path) => {
      await writeTo(call.process, 1, `${await hash(call, file, algorithm)}  ${path}\n`)
    })
  }
}

async function check(
  call: Call,
  lists: readonly Bytes[],
  algorithm: string,
  silent: boolean,
): Promise<number> {
  let failed = 0
  const status = await eachInput(call, lists, async list => {
    const parts: Buffer[] = []
    for await (const chunk of chunks(call, list)) parts.push(chunk)
    for (const line of fromBuffer(Buffer.concat(parts)).split('\n')) {
      const [, wanted, path] = /^([0-9a-fA-F]+) [ *](.*)$/s.exec(line) ?? []
      if (wanted === undefined || path === undefined) continue
      const outcome = await compare(call, path, wanted.toLowerCase(), algorithm)
      if (outcome !== 'OK') failed++
      if (!silent) await writeTo(call.process, 1, `${path}: ${outcome}\n`)
    }
  })
  if (failed > 0 && !silent)
    await complain(call, `WARNING: ${failed} computed checksum${failed === 1 ? '' : 's'} did NOT match`)
  return failed > 0 ? 1 : status
}

async function compare(call: Call, path: Bytes, wanted: string, algorithm: string): Promise<string> {
  try {
    const file = openInput(call, path)
    const found = await hash(call, file, algorithm)
    file.release()
    return found === wanted ? 'OK' : 'FAILED'
  } catch (error) {
    if (!(error instanceof SystemError)) throw error
    await complain(call, `${path}: ${describe(error)}`)
    return 'FAILED open or read'
  }
}

const crcTable = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 24
  for (let bit = 0; bit < 8; bit++) crc = crc & 0x80000000 ? (crc << 1) ^ 0x04c11db7 : crc << 1
  return crc >>> 0
})

/** Adds bytes to the checksum of POSIX `cksum`. */
function addToChecksum(before: number, bytes: Uint8Array): number {
  let crc = before
  for (let at = 0; at < bytes.length; at++) {
    crc = (crc << 8) ^ (crcTable[((crc >>> 24) ^ (bytes[at] as number)) & 0xff] as number)
  }
  return crc >>> 0
}

/** POSIX `cksum`: CRC-32 of the bytes followed by their number. */
const cksum: Program = async call =>
  eachInput(call, readOptions(call.args, '').operands, async (file, path) => {
    let crc = 0
    let length = 0
    for await (const chunk of chunks(call, file)) {
      length += chunk.length
      crc = addToChecksum(crc, chunk)
    }
    const digits: number[] = []
    for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) digits.push(rest & 0xff)
    crc = addToChecksum(crc, Uint8Array.from(digits))
    await writeTo(call.process, 1, `${~crc >>> 0} ${length}${path === '-' ? '' : ` ${path}`}\n`)
  })

/** `cmp`: whether two files are the same byte for byte. */
const cmp: Program = async call => {
  const options = readOptions(call.args, 'sln:', { silent: 's', quiet: 's' })
  const [left, right = '-'] = options.operands
  if (left === undefined) return complain(call, "missing operand after 'cmp'").then(() => 2)
  const contents: Buffer[] = []
  const read = await eachInput(call, [left, right], async file => {
    const parts: Buffer[] = []
    for await (const chunk of chunks(call, file)) parts.push(chunk)
    contents.push(Buffer.concat(parts))
  })
  const [a, b] = contents
  if (read !== 0 || !a || !b) return 2
  if (a.equals(b)) return 0
  if (options.has('s')) return 1
  const shorter = Math.min(a.length, b.length)
  let at = 0
  while (at < shorter && a[at] === b[at]) at++
  if (at === shorter) return complain(call, `EOF on ${a.length < b.length ? left : right}`)
  const line = a.subarray(0, at).reduce((lines, byte) => lines + (byte === 10 ? 1 : 0), 1)
  await writeTo(call.process, 1, `${left} ${right} differ: byte ${at + 1}, line ${line}\n`)
  return 1
}

/** Programs that say whether bytes are the same. */
export const digestPrograms: Readonly<Record<string, Program>> = {
  md5sum: summer('md5'),
  sha1sum: summer('sha1'),
  sha224sum: summer('sha224'),
  sha256sum: summer('sha256'),
  sha384sum: summer('sha384'),
  sha512sum: summer('sha512'),
  cksum,
  cmp,
}
