import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import type { execa } from 'execa'
import { type InfraContext, InfraError } from '../../config/errors.js'
import type { Limit } from '../limit.js'
import { exchange } from './exchanges.js'

/** Enough of a tool's last words to understand it, little enough for one message. */
const tailLength = 600
const killDelayMs = 5000

/** A program that is not installed, and Debian's package that brings it. */
export interface MissingTool {
  readonly tool: string
  readonly package: string
}

/** The programs that guests and images need, and Debian's packages that bring them. */
export const packageOfTool = {
  'qemu-system-x86_64': 'qemu-system-x86',
  'qemu-img': 'qemu-utils',
  setpriv: 'util-linux',
  flock: 'util-linux',
  unshare: 'util-linux',
  mmdebstrap: 'mmdebstrap',
  mke2fs: 'e2fsprogs',
  'ssh-keygen': 'openssh-client',
  tar: 'tar',
  fakeroot: 'fakeroot',
  newuidmap: 'uidmap',
} as const

export type Tool = keyof typeof packageOfTool

/** The search path with the administrator's folders, where a user's own lacks them. */
export function toolPath(path: string | undefined = process.env.PATH): string {
  const folders = (path ?? '').split(delimiter).filter(folder => folder !== '')
  const wanted = ['/usr/local/sbin', '/usr/sbin', '/sbin', '/usr/bin', '/bin']
  return [...folders, ...wanted.filter(folder => !folders.includes(folder))].join(delimiter)
}

/** Those of the tools that cannot be found, in the order asked for. */
export function missingTools(tools: readonly Tool[], path: string = toolPath()): MissingTool[] {
  const folders = path.split(delimiter).filter(folder => folder !== '')
  return tools
    .filter(tool => !folders.some(folder => isExecutable(join(folder, tool))))
    .map(tool => ({ tool, package: packageOfTool[tool] }))
}

/** One line that says what is missing and how to get it. */
export function describeMissing(missing: readonly MissingTool[]): string {
  const tools = missing.map(({ tool }) => tool).join(', ')
  const packages = [...new Set(missing.map(entry => entry.package))].join(' ')
  return `${tools} ${missing.length === 1 ? 'is' : 'are'} not installed: apt-get install ${packages}`
}

export interface ToolOptions {
  readonly signal: AbortSignal
  /** The named limit of the whole command, in ms. */
  readonly limit: Limit
  readonly where: string
  readonly cause: InfraContext['cause']
  /** Each line of standard error as it comes. */
  readonly onLine?: (line: string) => void
  readonly env?: Readonly<Record<string, string>>
  /** What ends it; SIGTERM if absent, so that it can clean up. A killed runner sends it too. */
  readonly killSignal?: 'SIGTERM' | 'SIGKILL'
}

/** What starts programs. It is loaded for the first one: that takes a tenth of a second, and most commands start none. */
export async function programStarter(): Promise<typeof execa> {
  const loaded = await import('execa')
  return loaded.execa
}

/** Runs a tool to its end and gives its standard output. Anything but exit status 0 is an InfraError. */
export function runTool(tool: string, args: readonly string[], options: ToolOptions): Promise<string> {
  const { cause, where } = options
  return exchange(
    () => [tool, ...args].join(' '),
    () => startTool(tool, args, options),
    {
      refused: why => {
        throw new InfraError(`${tool} ${shown(args)}: ${why}`, { cause, where, code: 'command' })
      },
      show: answer => ({ status: '0', answer }),
    },
  )
}

async function startTool(
  tool: string,
  args: readonly string[],
  { signal, limit, where, cause, onLine, env, killSignal = 'SIGTERM' }: ToolOptions,
): Promise<string> {
  const context = { cause, where } as const
  if (signal.aborted) {
    throw new InfraError(`${tool} was not started: cancelled`, { ...context, code: 'cancelled' })
  }
  const command = ['--pdeathsig', killSignal.slice('SIG'.length), '--', tool, ...args]
  const start = await programStarter()
  const child = start('setpriv', command, {
    reject: false,
    stdin: 'ignore',
    stripFinalNewline: false,
    all: true,
    timeout: limit.ms,
    cancelSignal: signal,
    killSignal,
    forceKillAfterDelay: killDelayMs,
    env: { LC_ALL: 'C.UTF-8', PATH: toolPath(), ...env },
  })
  if (onLine !== undefined) {
    const lines = child.iterable({ from: 'stderr' })
    void (async () => {
      for await (const line of lines) {
        onLine(String(line))
      }
    })().catch(() => {})
  }
  const result = await child
  if (result.isCanceled) {
    throw new InfraError(`${tool} was stopped: cancelled`, { ...context, code: 'cancelled' })
  }
  if (result.timedOut) {
    const message = `${tool} did not end within ${limit.name} (${limit.ms} ms): ${tail(result.all)}`
    throw new InfraError(message, { ...context, code: 'limit', limit: limit.name })
  }
  if (result.exitCode !== 0) {
    const how =
      result.exitCode === undefined ? (result.signal ?? result.shortMessage) : `status ${result.exitCode}`
    const message = `${tool} ${shown(args)} ended with ${how}: ${tail(result.all)}`
    throw new InfraError(message, { ...context, code: 'command' })
  }
  return result.stdout
}

/** The last words of an output, on one line. */
export function tail(output: string | undefined): string {
  const text = (output ?? '').trim().replace(/\s*\n\s*/g, ' | ')
  return text === '' ? 'it said nothing' : text.length > tailLength ? `…${text.slice(-tailLength)}` : text
}

function shown(args: readonly string[]): string {
  const text = args.join(' ').replace(/\s+/g, ' ')
  return text.length > 120 ? `${text.slice(0, 120)}…` : text
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}
