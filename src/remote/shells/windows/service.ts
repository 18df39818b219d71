import { PassThrough } from 'node:stream'
import { InfraError } from '../../../config/errors.js'
import { inTime, withDeadline } from '../../../deadline/deadline.js'
import type { CommandResult, RunOptions } from '../../machine.js'
import { Stillness } from '../../stillness.js'
import { peerText } from '../../trouble.js'
import { commandText } from './catalog.js'
import { encodedCommand, hostServiceText, serviceText } from './powershell-text.js'

/** A value as the service prints it. */
export type ServiceValue = null | string | readonly ServiceValue[]
/** One row of an answer. */
export type ServiceRow = Readonly<Record<string, ServiceValue>>
/** What a guest's service is asked: an operation, and its arguments. */
export type ServiceRequest = readonly [op: 'wmi' | 'registry' | 'now', ...args: string[]]
/** What a host's service is asked: the columns of a text's rows, joined by commas, the text, and its arguments. */
export type HostRequest = readonly [columns: string, text: string, ...args: string[]]

/** One kind of service: the command that starts it, and whose fault an error is that it tells. */
export interface ServiceKind {
  readonly command: string
  readonly owner: 'guest' | 'host'
}

/** An answer; `absent` when what was asked for is not there, which is not a failure. */
export interface ServiceAnswer {
  readonly rows: readonly ServiceRow[]
  readonly absent: boolean
}

/** How long one request may take, and who may cancel it. */
export interface RequestOptions {
  readonly limitMs: number
  readonly signal?: AbortSignal
  /** Time in which the machine is held still does not count. */
  readonly stillness?: Stillness
  /** What errors call the request, and the limit, where they are not to be told by its words. */
  readonly what?: string
  readonly limitName?: string
}

/** Text that is kept of one answer, in bytes: a hostile guest could send for ever. */
const longestAnswer = 32 * 1024 * 1024
const forEver = 2 ** 31 - 1

/** The command that starts it. */
export const serviceCommand: string = commandText('powershell-service', {
  SERVICE: encodedCommand(serviceText),
})

/** The service of a guest, which answers questions. */
export const guestService: ServiceKind = { command: serviceCommand, owner: 'guest' }

/** The service of a host, which carries out texts. */
export const hostService: ServiceKind = {
  command: commandText('powershell-host-service', { HOST: encodedCommand(hostServiceText) }),
  owner: 'host',
}

/** One line of a request, as the service splits it. */
export function requestLine(id: number, request: readonly string[]): string {
  return `${fields(id, request, /[^ -[\]-~]/g)}\n`
}

/** The same for `echo` of cmd, without its end: what cmd or another cmd behind a pipe could read as its own is escaped. */
export function pipedRequestLine(id: number, request: ServiceRequest): string {
  return fields(id, request, /[^A-Za-z0-9 ,._/]/g)
}

/** Escapes as .NET's Regex.Unescape takes them back. */
function fields(id: number, request: readonly string[], escaped: RegExp): string {
  const field = (text: string): string =>
    text.replace(escaped, char =>
      char === '\\' ? '\\\\' : `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
    )
  return [String(id), ...request].map(field).join('\t')
}

/** The line that has a request stopped. */
function stopLine(id: number, stopped: number): string {
  return `${id}\tstop\t${stopped}\n`
}

interface Pending {
  readonly rows: ServiceRow[]
  bytes: number
  resolve(answer: ServiceAnswer): void
  reject(error: unknown): void
}

/** Takes the service's lines apart and gives each request its answer. */
export class Answers {
  readonly #where: string
  readonly #owner: ServiceKind['owner']
  readonly #pending = new Map<number, Pending>()
  #held = ''
  #hello: (version: string) => void = () => {}
  /** Settles with the version of PowerShell when the service is ready. */
  readonly hello = new Promise<string>(resolve => {
    this.#hello = resolve
  })

  constructor(where: string, owner: ServiceKind['owner'] = 'guest') {
    this.#where = where
    this.#owner = owner
  }

  /** The answer to a request that is being sent. */
  await(id: number): Promise<ServiceAnswer> {
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { rows: [], bytes: 0, resolve, reject })
    })
  }

  /** Whether nobody waits for an answer. */
  get isIdle(): boolean {
    return this.#pending.size === 0
  }

  /** No answer is wanted any more; true when none has come. */
  forget(id: number): boolean {
    return this.#pending.delete(id)
  }

  /** Takes output of the service. */
  push(chunk: Buffer): void {
    const lines = (this.#held + chunk.toString('latin1')).split('\n')
    this.#held = lines.pop() ?? ''
    if (this.#held.length > longestAnswer) {
      this.#held = ''
      this.failAll('PowerShell sent a line without an end')
    }
    for (const line of lines) {
      this.#take(line.replace(/\r$/, ''))
    }
  }

  /** The service is gone: whoever still waits is told. */
  failAll(why: string): void {
    for (const [id, { reject }] of this.#pending) {
      this.#pending.delete(id)
      reject(this.#error(why))
    }
  }

  #take(line: string): void {
    const [, id, word, rest = ''] = /^gc (\d+) (row|end|absent|error|fault)(?: (.*))?$/.exec(line) ?? []
    if (id === undefined) {
      const [, version] = /^gc hello (\S+) \d+$/.exec(line) ?? []
      if (version !== undefined) {
        this.#hello(version)
      }
      return
    }
    const pending = this.#pending.get(Number(id))
    if (pending === undefined) {
      return
    }
    const settle = (act: () => void): void => {
      this.#pending.delete(Number(id))
      act()
    }
    if (word === 'row') {
      const row = parseRow(rest)
      pending.bytes += rest.length
      if (row === null || pending.bytes > longestAnswer) {
        const what = row === null ? 'a row that is none' : 'more than can be taken'
        settle(() => pending.reject(this.#error(`PowerShell sent ${what}: ${peerText(rest)}`)))
      } else {
        pending.rows.push(row)
      }
    } else if (word === 'end') {
      // A row that was lost on the way must not make an answer look whole.
      settle(() =>
        Number(rest) === pending.rows.length
          ? pending.resolve({ rows: pending.rows, absent: false })
          : pending.reject(
              this.#error(`PowerShell counted ${peerText(rest)} rows, and ${pending.rows.length} came`),
            ),
      )
    } else if (word === 'absent') {
      settle(() => pending.resolve({ rows: [], absent: true }))
    } else if (word === 'error') {
      settle(() => pending.reject(this.#error(`PowerShell: ${peerText(parseText(rest))}`)))
    } else {
      const what = `the request could not be carried out by PowerShell: ${peerText(parseText(rest))}`
      settle(() => pending.reject(this.#error(what, 'runner')))
    }
  }

  #error(what: string, cause: 'guest' | 'host' | 'runner' = this.#owner): InfraError {
    const where = this.#where
    return new InfraError(`${where}: ${what}`, { cause, where, code: 'command' })
  }
}

function parseRow(text: string): ServiceRow | null {
  try {
    const row: unknown = JSON.parse(text)
    const isRow = typeof row === 'object' && row !== null && !Array.isArray(row)
    return isRow && Object.values(row).every(isValue) ? (row as ServiceRow) : null
  } catch {
    return null
  }
}

function isValue(value: unknown): value is ServiceValue {
  return value === null || typeof value === 'string' || (Array.isArray(value) && value.every(isValue))
}

function parseText(text: string): string {
  try {
    return String(JSON.parse(text))
  } catch {
    return text
  }
}

/** One PowerShell that answers as long as the connection stands. */
export class PowerShellService {
  readonly version: string
  readonly #stdin: PassThrough
  readonly #answers: Answers
  readonly #place: { readonly where: string; readonly owner: ServiceKind['owner'] }
  #ids = 0
  #isGone = false

  private constructor(
    place: { readonly where: string; readonly owner: ServiceKind['owner'] },
    version: string,
    stdin: PassThrough,
    answers: Answers,
  ) {
    this.#place = place
    this.version = version
    this.#stdin = stdin
    this.#answers = answers
  }

  /** Starts it; throws InfraError when it does not say that it is ready. */
  static async start(
    where: string,
    run: (command: string, options: RunOptions) => Promise<CommandResult>,
    limitMs: number,
    kind: ServiceKind = guestService,
  ): Promise<PowerShellService> {
    const stdin = new PassThrough()
    const answers = new Answers(where, kind.owner)
    const cancel = new AbortController()
    const ended = run(kind.command, {
      stdin,
      limitMs: forEver,
      keepBytes: 4096,
      signal: cancel.signal,
      onStdout: chunk => answers.push(chunk),
    })
    const failed = ended.then(
      ({ exit, stderr }) =>
        `it ended (${exit.kind === 'code' ? `status ${exit.code}` : exit.kind}): ${peerText(stderr.text)}`,
      (error: unknown) => (error instanceof Error ? error.message : String(error)),
    )
    const ready = answers.hello.then(version => ({ version }))
    const first = await inTime(Promise.race([ready, failed.then(why => ({ why }))]), limitMs)
    if (first === 'late' || 'why' in first) {
      cancel.abort()
      const why =
        first === 'late' ? `it was not ready within the limit "firstCommand" of ${limitMs} ms` : first.why
      // Whether the guest's PowerShell is broken, or what it was sent, cannot be told from here.
      throw new InfraError(`${where}: PowerShell does not serve: ${why}`, {
        cause: 'unknown',
        where,
        code: 'command',
      })
    }
    const service = new PowerShellService({ where, owner: kind.owner }, first.version, stdin, answers)
    void failed.then(why => {
      service.#isGone = true
      answers.failAll(`PowerShell is gone: ${why}`)
    })
    return service
  }

  get isGone(): boolean {
    return this.#isGone
  }

  /** Whether it waits for requests, and answers none. */
  get isIdle(): boolean {
    return this.#answers.isIdle
  }

  /** Asks; other requests go on meanwhile. Throws InfraError (`limit`, `command`), or the signal's reason. */
  async ask(request: ServiceRequest | HostRequest, options: RequestOptions): Promise<ServiceAnswer> {
    const { signal } = options
    signal?.throwIfAborted()
    this.#ids += 1
    const id = this.#ids
    const answer = this.#answers.await(id)
    if (this.#isGone) {
      this.#answers.failAll('PowerShell is gone')
    } else {
      this.#stdin.write(requestLine(id, request))
    }
    try {
      return await within(answer, { what: request.join(' '), ...options, ...this.#place })
    } finally {
      // What nobody waits for any more must not hold one of the service's runspaces.
      if (this.#answers.forget(id) && this.#stdin.writable) {
        this.#ids += 1
        this.#stdin.write(stopLine(this.#ids, id))
      }
    }
  }

  /** No more requests: it ends when all are answered. */
  end(): void {
    this.#isGone = true
    this.#stdin.end()
  }
}

/** Waits for an answer under the limit of its own client. */
export function within<T>(
  answer: Promise<T>,
  {
    limitMs,
    what,
    where,
    signal,
    limitName = 'command',
    owner = 'guest',
    stillness = new Stillness(),
  }: RequestOptions & { what: string; where: string; owner?: ServiceKind['owner'] },
): Promise<T> {
  return withDeadline(
    {
      name: limitName,
      ms: limitMs,
      where,
      what: `the answer to "${what.slice(0, 80)}"`,
      cause: owner,
      signal,
      clock: stillness,
    },
    () => answer,
  )
}
