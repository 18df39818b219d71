import pLimit from 'p-limit'
import type { Call } from '../system/context.js'
import type { LineReader } from '../system/io.js'
import type { Line } from './requests.js'

/** Answers one request: its number, and its fields. */
type Answer = (call: Call, id: string, fields: readonly string[], write: Line) => Promise<void>

/** Runspaces of the service: so many requests are answered at once. */
const runspaces = 8

/** The service that guestcert keeps on a connection: requests from standard input, each answered as it comes. */
export async function serve(call: Call, input: LineReader, answer: Answer): Promise<number> {
  const { process, io, system } = call
  const write: Line = line => io.stdout.write(Buffer.from(`${line}\r\n`, 'latin1'), process.signal)
  const inTurn = pLimit(runspaces)
  const live = new Map<string, { stop(): void; readonly ended: Promise<void> }>()
  await write(`gc hello ${system.persona.powershell?.version ?? '5.1'} ${process.pid}`)
  for (;;) {
    const line = await input.next(process.signal)
    if (line === undefined) break
    const [id = '', op = '', ...rest] = line.toString('latin1').split('\t').map(unescapeField)
    if (op === 'stop') {
      live.get(rest[0] ?? '')?.stop()
      continue
    }
    let stop = (): void => {}
    let isStopped = false
    const stopped = new Promise<void>(resolve => {
      stop = () => {
        isStopped = true
        resolve()
      }
    })
    const unlessStopped: Line = async text => {
      if (!isStopped) await write(text)
    }
    const ended = inTurn(() =>
      Promise.race([answer(call, id, [op, ...rest], unlessStopped), stopped]),
    ).finally(() => live.delete(id))
    // One that ends with the whole process is nobody's concern any more.
    ended.catch(() => {})
    live.set(id, { stop, ended })
  }
  await process.whileAlive(Promise.all([...live.values()].map(({ ended }) => ended)))
  return 0
}

/** What .NET's Regex.Unescape makes of a field. */
function unescapeField(field: string): string {
  return field.replace(
    /\\(?:u([0-9a-f]{4})|(.))/gi,
    (_, code: string | undefined, char: string | undefined) =>
      code === undefined
        ? char === 't'
          ? '\t'
          : (char ?? '')
        : String.fromCharCode(Number.parseInt(code, 16)),
  )
}
