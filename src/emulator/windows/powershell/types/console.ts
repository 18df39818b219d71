import { encode } from '../../text/code-pages.js'
import { composite } from '../numbers.js'
import type { Frame } from '../runtime.js'
import { textOf } from '../text.js'
import { NetObject, nothing, type Value } from '../values.js'
import { encodingOf, encodingPage } from './encodings.js'

function writer({ shell }: Frame, which: 'stdout' | 'stderr'): NetObject {
  const { call } = shell
  const sink = call.io[which]
  const write = async (text: string): Promise<Value> => {
    await sink.write(encode(text, call.console.codePage), call.process.signal)
    return nothing
  }
  const body = ([first = null, ...rest]: readonly Value[]): string =>
    rest.length > 0 ? (composite(textOf(first), rest) ?? '') : textOf(first)
  return new NetObject('System.IO.TextWriter', {
    get: { newline: () => '\r\n', encoding: () => encodingOf(call.console.codePage) },
    set: { newline: () => {} },
    methods: {
      write: args => write(body(args)),
      writeline: args => write(`${args.length === 0 ? '' : body(args)}\r\n`),
      flush: () => nothing,
      close: () => nothing,
    },
  })
}

function reader({ shell }: Frame): NetObject {
  return new NetObject('System.IO.TextReader', {
    methods: {
      readline: async () => shell.readLine(),
      readtoend: async () => shell.readRest(),
    },
  })
}

/** Static properties of System.Console. */
export function consoleMember(type: string, name: string, frame: Frame): Value | undefined {
  if (type.toLowerCase() !== 'system.console') return undefined
  const { call } = frame.shell
  switch (name) {
    case 'out':
      return writer(frame, 'stdout')
    case 'error':
      return writer(frame, 'stderr')
    case 'in':
      return reader(frame)
    case 'outputencoding':
    case 'inputencoding':
      return encodingOf(call.console.codePage)
    case 'isinputredirected':
    case 'isoutputredirected':
      return frame.shell.major >= 4 ? true : undefined
    default:
      return undefined
  }
}

/** Static methods of System.Console. */
export async function consoleMethod(
  name: string,
  args: readonly Value[],
  frame: Frame,
): Promise<Value | undefined> {
  const out = writer(frame, 'stdout')
  switch (name) {
    case 'write':
      return out.methods.write?.(args)
    case 'writeline':
      return out.methods.writeline?.(args)
    case 'readline':
      return frame.shell.readLine()
    case 'openstandardoutput':
    case 'openstandarderror': {
      const sink = name === 'openstandardoutput' ? frame.shell.call.io.stdout : frame.shell.call.io.stderr
      return new NetObject('System.IO.Stream', {
        methods: {
          write: async ([bytes = null, start = 0, count = null]) => {
            const all = Buffer.isBuffer(bytes)
              ? bytes
              : Buffer.from(Array.isArray(bytes) ? bytes.map(Number) : [])
            const from = Number(start)
            await sink.write(
              all.subarray(from, count === null ? all.length : from + Number(count)),
              frame.shell.call.process.signal,
            )
            return nothing
          },
          flush: () => nothing,
          close: () => nothing,
        },
      })
    }
    case 'openstandardinput':
      return new NetObject('System.IO.Stream', { inner: { stdin: true } })
    default:
      return undefined
  }
}

/** `[Console]::OutputEncoding = …` sets the console's code page. */
export function setConsole(name: string, value: Value, frame: Frame): boolean {
  if (name !== 'outputencoding' && name !== 'inputencoding') return false
  const page = encodingPage(value)
  if (name === 'outputencoding' && page !== undefined) frame.shell.call.console.codePage = page
  return true
}
