import type { FileNode } from '../store/files.js'
import { resolvePath } from '../store/files.js'
import { Ended, type WinProcess } from '../store/processes.js'
import { encode } from '../text/code-pages.js'
import type { Environment } from './environment.js'
import type { Io, Sink } from './io.js'
import type { WindowsSystem } from './system.js'

/** The console of a session: what `chcp` sets holds for all its programs. */
export interface ConsoleState {
  codePage: number
}

/** What a program runs in. */
export interface Context {
  readonly system: WindowsSystem
  readonly process: WinProcess
  readonly console: ConsoleState
  readonly env: Environment
  readonly io: Io
  cwd: string
  readonly programs: ProgramTable
}

/** A program as it is started. */
export interface Call extends Context {
  /** As it was called. */
  readonly name: string
  /** The command line after the name, as it is. */
  readonly tail: string
  /** The command line after the name, split as the C runtime splits it. */
  readonly args: readonly string[]
}

/** A program of the emulated guest. Resolves to its exit code, 32 bits unsigned. */
export type Program = (call: Call) => Promise<number>

/** Programs by the name of their file in lower case. */
export type ProgramTable = ReadonlyMap<string, Program>

/** Writes text in the console's code page. */
export async function print({ io, console, process }: Context, text: string): Promise<void> {
  await io.stdout.write(encode(text, console.codePage), process.signal)
}

/** Writes text to standard error in the console's code page. */
export async function complain({ io, console, process }: Context, text: string): Promise<void> {
  await io.stderr.write(encode(text, console.codePage), process.signal)
}

/** Splits a command line as the C runtime does. */
export function splitArguments(tail: string): string[] {
  const found: string[] = []
  let at = 0
  while (at < tail.length) {
    while (tail[at] === ' ' || tail[at] === '\t') at++
    if (at >= tail.length) break
    let word = ''
    let quoted = false
    for (; at < tail.length; at++) {
      const character = tail[at] ?? ''
      if (character === '\\') {
        let count = 0
        while (tail[at] === '\\') {
          count++
          at++
        }
        if (tail[at] === '"') {
          word += '\\'.repeat(Math.floor(count / 2))
          if (count % 2 === 1) word += '"'
          else at--
        } else {
          word += '\\'.repeat(count)
          at--
        }
      } else if (character === '"') {
        if (quoted && tail[at + 1] === '"') {
          word += '"'
          at++
        } else quoted = !quoted
      } else if (!quoted && (character === ' ' || character === '\t')) break
      else word += character
    }
    found.push(word)
  }
  return found
}

/** Finds the file that a command names, as CreateProcess and cmd look for it. */
export function findProgram(
  { system, env, cwd }: Context,
  name: string,
): { path: string; node: FileNode } | undefined {
  const extensions = (env.get('PATHEXT') ?? '.COM;.EXE;.BAT;.CMD').split(';').filter(it => it !== '')
  const hasPath = /[\\/:]/.test(name)
  const folders = hasPath ? [''] : [cwd, ...(env.get('Path') ?? '').split(';').filter(it => it !== '')]
  for (const folder of folders) {
    const base = folder === '' ? resolvePath(cwd, name) : resolvePath(cwd, `${folder}\\${name}`)
    const candidates = /\.[^.\\]+$/.test(name)
      ? [base, ...extensions.map(it => base + it)]
      : extensions.map(it => base + it)
    for (const path of candidates) {
      const node = system.files.find(path)
      if (node?.type === 'file') return { path, node }
    }
  }
  return undefined
}

/** What a new process is given beside its command line. */
export interface Start {
  readonly io: Io
  readonly cwd?: string
  readonly env?: Environment
}

/** A process that was started and may be waited for. */
export interface Started {
  readonly process: WinProcess
  readonly exit: Promise<number>
}

/** Starts a program in a process of its own; undefined where the file is no program. */
export function startProgram(
  context: Context,
  found: { path: string; node: FileNode },
  name: string,
  tail: string,
  start: Start,
): Started | undefined {
  const { system, programs } = context
  const batch = /\.(?:bat|cmd)$/i.test(found.path)
  const program = batch ? programs.get('cmd.exe') : programs.get(found.node.program ?? '')
  if (!program) return undefined
  const image = batch ? 'cmd.exe' : found.node.name
  const line = batch
    ? `${system.persona.os.systemRoot}\\system32\\cmd.exe /c ""${found.path}"${tail}"`
    : `${name}${tail}`
  const process = system.processes.spawn({ image, line, parent: context.process })
  const givenTail = batch ? ` /c ""${found.path}"${tail}"` : tail
  const call: Call = {
    system,
    process,
    console: context.console,
    env: (start.env ?? context.env).copy(),
    io: start.io,
    cwd: start.cwd ?? context.cwd,
    programs,
    name,
    tail: givenTail,
    args: splitArguments(givenTail),
  }
  return { process, exit: runToEnd(process, () => program(call), start.io.stderr) }
}

/** Runs a process's work until it ends by itself or is ended. */
export async function runToEnd(
  process: WinProcess,
  work: () => Promise<number>,
  stderr: Sink,
): Promise<number> {
  let code: number
  try {
    code = (await process.whileAlive(work())) >>> 0
  } catch (error) {
    if (error instanceof Ended) code = error.code
    else {
      const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
      await stderr.write(Buffer.from(`emulator: ${text}\r\n`), AbortSignal.timeout(1000)).catch(() => {})
      code = 0xe0434f4d
    }
  }
  process.end(code)
  return code
}
