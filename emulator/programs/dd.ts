import type { Bytes } from '../files/bytes.js'
import { describe, SystemError } from '../files/errno.js'
import type { OpenFile } from '../files/open-file.js'
import { openFor } from '../shell/redirect.js'
import type { Call, Program } from '../system/programs.js'
import { writeTo } from './io.js'
import { complain, size } from './streams.js'

const knownFlags = new Set([
  'append',
  'direct',
  'directory',
  'dsync',
  'sync',
  'fullblock',
  'nonblock',
  'noatime',
  'nocache',
  'count_bytes',
  'skip_bytes',
  'seek_bytes',
])
const knownConversions = new Set([
  'fsync',
  'fdatasync',
  'notrunc',
  'noerror',
  'sync',
  'excl',
  'nocreat',
  'ucase',
  'lcase',
  'sparse',
])

interface Request {
  readonly values: ReadonlyMap<string, Bytes>
  readonly inputFlags: ReadonlySet<string>
  readonly conversions: ReadonlySet<string>
  readonly inputBytes: number
  readonly outputBytes: number
}

/** Reads the operands; a string says what is wrong with them. */
function readRequest(args: readonly Bytes[]): Request | string {
  const values = new Map<string, Bytes>()
  for (const arg of args) {
    const [, name, value] = /^([a-z]+)=([\s\S]*)$/.exec(arg) ?? []
    if (
      name === undefined ||
      !/^(if|of|bs|ibs|obs|cbs|count|skip|seek|iseek|oseek|conv|iflag|oflag|status)$/.test(name)
    ) {
      return `unrecognized operand '${arg}'`
    }
    values.set(name, value ?? '')
  }
  for (const name of ['bs', 'ibs', 'obs', 'count', 'skip', 'seek']) {
    const value = values.get(name)
    if (value !== undefined && Number.isNaN(size(value))) return `invalid number: '${value}'`
  }
  const list = (name: string): Set<string> =>
    new Set((values.get(name) ?? '').split(',').filter(word => word !== ''))
  const unknownFlag = [...list('iflag'), ...list('oflag')].find(flag => !knownFlags.has(flag))
  if (unknownFlag !== undefined) return `invalid input flag: '${unknownFlag}'`
  const conversions = list('conv')
  const unknown = [...conversions].find(conversion => !knownConversions.has(conversion))
  if (unknown !== undefined) return `invalid conversion: '${unknown}'`
  const both = values.get('bs')
  const inputBytes = size(both ?? values.get('ibs') ?? '512')
  const outputBytes = size(both ?? values.get('obs') ?? '512')
  return { values, inputFlags: list('iflag'), conversions, inputBytes, outputBytes }
}

/** Reads one block: as much as one `read` gives, or with `fullblock` all of it. */
async function readBlock(call: Call, input: OpenFile, bytes: number, full: boolean): Promise<Buffer> {
  const parts: Buffer[] = []
  let got = 0
  do {
    const part = await input.read(bytes - got, call.process.signal)
    if (part.length === 0) break
    parts.push(part)
    got += part.length
  } while (full && got < bytes)
  return parts.length === 1 && parts[0] ? parts[0] : Buffer.concat(parts)
}

async function skipInput(call: Call, input: OpenFile, bytes: number): Promise<void> {
  if (bytes === 0) return
  if (input.handle.seek) return input.handle.seek(bytes)
  for (let left = bytes; left > 0; ) {
    const part = await input.read(Math.min(left, 65_536), call.process.signal)
    if (part.length === 0) return
    left -= part.length
  }
}

const dd: Program = async call => {
  const request = readRequest(call.args)
  if (typeof request === 'string') return complain(call, request)
  const { values, conversions } = request
  const [from, to] = [values.get('if'), values.get('of')]
  let input: OpenFile | undefined
  let output: OpenFile | undefined
  try {
    input =
      from === undefined
        ? call.process.files.need(0).retain()
        : openFor(call.system, call.process, from, { read: true })
  } catch (error) {
    return complain(
      call,
      `${values.has('status') ? 'failed to open' : 'opening'} '${from}': ${describe(error)}`.replace(
        /^opening/,
        'failed to open',
      ),
    )
  }
  const seek = size(values.get('seek') ?? '0') * request.outputBytes
  const keep = conversions.has('notrunc') || seek > 0
  try {
    const flags = {
      write: true,
      create: !conversions.has('nocreat'),
      exclusive: conversions.has('excl'),
      truncate: !keep,
    }
    output =
      to === undefined ? call.process.files.need(1).retain() : openFor(call.system, call.process, to, flags)
  } catch (error) {
    input.release()
    return complain(call, `failed to open '${to}': ${describe(error)}`)
  }
  if (seek > 0) {
    if (!conversions.has('notrunc')) output.handle.truncate?.(seek)
    output.handle.seek?.(seek)
  }
  const status = await copy(call, request, input, output)
  input.release()
  output.release()
  return status
}

async function copy(call: Call, request: Request, input: OpenFile, output: OpenFile): Promise<number> {
  const { values, inputBytes, inputFlags, conversions } = request
  const started = call.system.clock.uptimeNs()
  const count = values.has('count') ? size(values.get('count') ?? '') : Number.POSITIVE_INFINITY
  const counted = { fullIn: 0, partIn: 0, fullOut: 0, partOut: 0, bytes: 0 }
  let status = 0
  try {
    await skipInput(call, input, size(values.get('skip') ?? '0') * inputBytes)
    for (let block = 0; block < count; block++) {
      await call.system.breathe(call.process)
      const data = await readBlock(call, input, inputBytes, inputFlags.has('fullblock'))
      if (data.length === 0) break
      counted[data.length === inputBytes ? 'fullIn' : 'partIn']++
      const padded =
        conversions.has('sync') && data.length < inputBytes
          ? Buffer.concat([data, Buffer.alloc(inputBytes - data.length)])
          : data
      await output.write(padded, call.process.signal)
      counted[padded.length === inputBytes ? 'fullOut' : 'partOut']++
      counted.bytes += padded.length
    }
  } catch (error) {
    if (!(error instanceof SystemError) || error.code === 'EPIPE') throw error
    status = await complain(
      call,
      `error ${error.message.includes('read') ? 'reading' : 'writing'} '${values.get(error.message.includes('read') ? 'if' : 'of') ?? 'standard output'}': ${describe(error)}`,
    )
  }
  if (values.get('status') !== 'none')
    await summary(call, counted, started, values.get('status') === 'noxfer')
  return status
}

async function summary(
  call: Call,
  counted: { fullIn: number; partIn: number; fullOut: number; partOut: number; bytes: number },
  startedNs: bigint,
  short: boolean,
): Promise<void> {
  await writeTo(
    call.process,
    2,
    `${counted.fullIn}+${counted.partIn} records in\n${counted.fullOut}+${counted.partOut} records out\n`,
  )
  if (short) return
  const seconds = Math.max(1e-6, Number(call.system.clock.uptimeNs() - startedNs) / 1e9)
  const human = counted.bytes >= 1000 ? ` (${(counted.bytes / 1e6).toPrecision(2)} MB)` : ''
  const rate = (counted.bytes / seconds / 1e6).toPrecision(3)
  await writeTo(
    call.process,
    2,
    `${counted.bytes} bytes${human} copied, ${seconds.toPrecision(6)} s, ${rate} MB/s\n`,
  )
}

export const ddPrograms: Readonly<Record<string, Program>> = { dd }
