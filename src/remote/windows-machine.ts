import { randomBytes } from 'node:crypto'
import type { Duplex } from 'node:stream'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { InfraError } from '../config/errors.js'
import { unlessAborted } from '../deadline/signals.js'
import type { CommandResult, Machine, RunOptions } from './machine.js'
import { ChannelPlaces } from './shells/places.js'
import { batchFile } from './shells/windows/batch-file.js'
import { commandText } from './shells/windows/catalog.js'
import {
  base64Lines,
  decodeCertutil,
  type FileWay,
  readOverSftp,
  timeOverSftp,
  trouble,
  writeOverSftp,
} from './shells/windows/files.js'
import type { WindowsHost } from './shells/windows/host.js'
import { fitsLine, longestLine } from './shells/windows/line.js'
import { probe } from './shells/windows/probe.js'
import { runInCmd } from './shells/windows/run.js'
import {
  guestService,
  type HostRequest,
  hostService,
  type RequestOptions,
  type ServiceAnswer,
  type ServiceKind,
  type ServiceRequest,
} from './shells/windows/service.js'
import { SftpChannel } from './shells/windows/sftp-channel.js'
import { type ServiceClient, startService } from './shells/windows/start-service.js'
import { stopMarked } from './shells/windows/stop.js'
import type { Look } from './shells/windows/tools.js'
import type { SshMachine } from './ssh-machine.js'
import { peerText } from './trouble.js'

/** What is needed to speak with the Windows behind a connection. */
export interface WindowsOptions {
  /** Marks every command; a number follows. */
  readonly mark: string
  readonly signal: AbortSignal
  /** Commands at once; the PowerShell service is one of them. */
  readonly channels?: number
}

const defaultChannels = 8

/** Probes the shells of a Windows guest that is connected. Throws InfraError (`command`, `limit`). */
export async function openWindows(ssh: SshMachine, options: WindowsOptions): Promise<WindowsMachine> {
  const mark = `${options.mark}/${randomBytes(4).toString('hex')}`
  const channels = options.channels ?? defaultChannels
  const first = new ChannelPlaces({ channels: 1, limitMs: ssh.host.limits.channel, lost: ssh.host.lost })
  const found = await first.run(() => probe(ssh.host, `${mark}-0`, options.signal), options.signal)
  return new WindowsMachine(ssh, found, mark, channels)
}

/** A Windows guest over one SSH connection. `run` takes a command line of cmd, whatever the login shell is. */
export class WindowsMachine implements Machine {
  readonly family = 'windows'
  readonly label: string
  readonly hostKey: string
  readonly lost: AbortSignal
  /** What probing found. */
  readonly look: Look
  readonly login: WindowsHost['login']
  readonly #ssh: SshMachine
  readonly #host: WindowsHost
  readonly #mark: string
  readonly #places: ChannelPlaces
  #commands = 0
  #isSilent = false
  readonly #services = new Map<ServiceKind, Promise<ServiceClient>>()
  /** The services that have started. */
  readonly #serving = new Map<ServiceKind, ServiceClient>()
  readonly #sftp: SftpChannel
  #temporary: Promise<string> | null = null

  constructor(ssh: SshMachine, found: Look & Pick<WindowsHost, 'login'>, mark: string, channels: number) {
    this.#ssh = ssh
    this.label = ssh.label
    this.hostKey = ssh.hostKey
    this.lost = ssh.lost
    this.look = found
    this.login = found.login
    this.#host = { connection: ssh.host, login: found.login, codePage: found.codePage, tools: found.tools }
    this.#mark = mark
    this.#places = new ChannelPlaces({
      channels,
      limitMs: ssh.host.limits.channel,
      lost: ssh.lost,
      makeRoom: () => this.#makeRoom(),
    })
    const { client, where } = ssh.host
    this.#sftp = new SftpChannel({
      client,
      where,
      login: found.login,
      hold: open => this.#places.hold(open),
    })
  }

  get channels(): number {
    return this.#places.atOnce
  }

  /** Runs a line of cmd; several lines are carried as a batch file. */
  async run(command: string, options: RunOptions = {}): Promise<CommandResult> {
    if (fitsLine(this.login, command, options.env ?? {})) {
      return this.#run(command, options)
    }
    const content = batchFile(command)
    if (content === null) {
      throw this.#trouble(
        `cmd reads no line of more than ${longestLine} characters, and files only of ASCII: write the command in several lines of it`,
        'runner',
      )
    }
    const file = await this.#carryAside(content, 'cmd', options.signal)
    return this.#run(commandText('lines', { FILE: file }), options)
  }

  #run(command: string, options: RunOptions): Promise<CommandResult> {
    if (options.stdin !== undefined && this.login === 'powershell') {
      throw this.#trouble('a login shell PowerShell keeps standard input for itself: carry a file', 'runner')
    }
    return this.#places.run(() => this.#runNow(command, options), options.signal)
  }

  #runNow(command: string, options: RunOptions): Promise<CommandResult> {
    this.#commands += 1
    const mark = `${this.#mark}-${this.#commands}`
    return runInCmd(this.#host, command, options, mark, stopped => stopMarked(this.#host, stopped, false))
  }

  /** A server may open few channels: what is held for quickness alone is given back, and opened anew when needed. */
  #makeRoom(): void {
    this.#sftp.release()
    for (const [kind, service] of this.#serving) {
      if (service.isIdle) {
        service.end()
        this.#serving.delete(kind)
        this.#services.delete(kind)
      }
    }
  }

  /** Asks the PowerShell of this connection, which is started when first needed. Throws InfraError. */
  async ask(
    request: ServiceRequest,
    { limitMs, signal }: { readonly limitMs?: number; readonly signal?: AbortSignal } = {},
  ): Promise<ServiceAnswer> {
    const started = this.#startedService(guestService).catch((error: unknown) => {
      this.#isSilent ||= !this.lost.aborted && this.look.tools.wmic && this.look.tools.reg
      throw error
    })
    let service = await unlessAborted(started, signal)
    if (service.isGone) {
      // It was ended to make room for a command just now.
      service = await unlessAborted(this.#startedService(guestService), signal)
    }
    const limit = limitMs ?? this.#ssh.host.limits.command
    return service.ask(request, {
      limitMs: limit,
      stillness: this.#ssh.host.stillness,
      ...(signal === undefined ? {} : { signal }),
    })
  }

  /** Has the PowerShell of a host carry out a text of ours. Throws InfraError. */
  async askHost(request: HostRequest, options: RequestOptions): Promise<ServiceAnswer> {
    let service = await unlessAborted(this.#startedService(hostService), options.signal)
    if (service.isGone) {
      service = await unlessAborted(this.#startedService(hostService), options.signal)
    }
    return service.ask(request, options)
  }

  /** Whether {@link ask} can be answered: false also once a PowerShell has not served and there are other means. */
  get hasPowerShell(): boolean {
    return this.look.powershell !== null && !this.#isSilent
  }

  async #startedService(kind: ServiceKind): Promise<ServiceClient> {
    const known = this.#services.get(kind)
    const current = await known?.catch(() => null)
    if (current !== undefined && current !== null && !current.isGone) {
      return current
    }
    const other = this.#services.get(kind)
    if (other !== known && other !== undefined) {
      // Another client has started a new one meanwhile.
      return other
    }
    const started = startService(
      this.#host,
      {
        run: (command, options) => this.#run(command, options),
        serve: (command, options) => this.#places.hold(() => this.#runNow(command, options), options.signal),
        carry: (content, ending) => this.#carryAside(content, ending),
      },
      kind,
    )
    this.#services.set(kind, started)
    const serving = await started
    this.#serving.set(kind, serving)
    return serving
  }

  /** Kills what carries a mark that begins so: what an earlier run left. Throws InfraError when some remains. */
  async sweep(mark: string, signal?: AbortSignal): Promise<void> {
    await unlessAborted(stopMarked(this.#host, mark, true), signal)
    if (this.lost.aborted) {
      throw this.lost.reason
    }
  }

  /** How files are moved here. */
  async fileWay(): Promise<FileWay> {
    return (await this.#sftp.isThere()) ? 'sftp' : 'certutil'
  }

  /**
   * The guest's clock in ms, to the second, from the time of a file that is written now: quicker than a command where
   * each starts a PowerShell. `null` where the server has no SFTP. Throws InfraError (`transfer`).
   */
  async clockByFile(signal: AbortSignal): Promise<number | null> {
    const folder = await this.temporaryFolder()
    const path = `${folder}\\gc-clock.txt`
    const asked = this.#sftp.use((sftp, style) => timeOverSftp(sftp, style(path), this.label))
    const seconds = await unlessAborted(asked, signal)
    return seconds === null ? null : seconds.value * 1_000
  }

  /** Writes a file; its folder must be there. Throws InfraError (`transfer`). */
  async writeFile(path: string, content: Buffer, signal?: AbortSignal): Promise<void> {
    const written = await this.#sftp.use((sftp, style) =>
      writeOverSftp(sftp, style(path), content, this.label),
    )
    if (written !== null) {
      return
    }
    const lines = [...base64Lines(path, content), commandText('decode-base64', { FILE: path })]
    for (const line of lines) {
      const result = await this.#run(line, {
        limitName: 'transfer',
        ...(signal === undefined ? {} : { signal }),
      })
      demandSuccess(result, this.label, 'writing', path)
    }
  }

  /** Reads a file whole. Throws InfraError (`transfer`). */
  async readFile(path: string, signal?: AbortSignal): Promise<Buffer> {
    const read = await this.#sftp.use((sftp, style) => readOverSftp(sftp, style(path), this.label))
    if (read !== null) {
      return read.value
    }
    const result = await this.#run(commandText('encode-base64', { FILE: path }), {
      limitName: 'transfer',
      ...(signal === undefined ? {} : { signal }),
    })
    demandSuccess(result, this.label, 'reading', path)
    const content = result.stdout.truncated ? null : decodeCertutil(result.stdout.text)
    if (content === null) {
      throw trouble(this.label, 'reading', path, new Error('what came is not whole'))
    }
    return content
  }

  /** The system's folder for temporary files, without a backslash at its end. */
  temporaryFolder(): Promise<string> {
    this.#temporary ??= this.#run(commandText('temporary-folder'), {}).then(({ stdout }) => {
      const folder = /gc-temp ([A-Za-z]:\\[^\r\n%"]*?)\s*$/m.exec(stdout.text)?.[1]
      if (folder === undefined) {
        throw this.#trouble(`it has no temporary folder: ${peerText(stdout.text)}`, 'guest')
      }
      return folder
    })
    return this.#temporary
  }

  /** Opens a TCP connection from the guest. */
  forward(host: string, port: number): Promise<Duplex> {
    return this.#ssh.forward(host, port)
  }

  async close(): Promise<void> {
    // One that still starts is not waited for: it ends with the connection.
    for (const starting of this.#services.values()) {
      const service = await Promise.race([starting.catch(() => null), nextTurn(null)])
      service?.end()
    }
    await this.#ssh.close()
  }

  async #carryAside(content: Buffer, ending: string, signal?: AbortSignal): Promise<string> {
    const file = `${await this.temporaryFolder()}\\gc-${randomBytes(6).toString('hex')}.${ending}`
    await this.writeFile(file, content, signal)
    return file
  }

  #trouble(what: string, cause: 'guest' | 'runner'): InfraError {
    return new InfraError(`${this.label}: ${what}`, { cause, where: this.label, code: 'command' })
  }
}

function demandSuccess(
  { exit, stderr, stdout }: CommandResult,
  where: string,
  doing: string,
  path: string,
): void {
  if (exit.kind !== 'code' || exit.code !== 0) {
    const how = exit.kind === 'code' ? `status ${exit.code}` : exit.kind
    throw trouble(where, doing, path, new Error(`${how}: ${stderr.text}${stdout.text}`))
  }
}
