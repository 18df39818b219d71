import { type Bytes, toText } from '../files/bytes.js'
import { SystemError } from '../files/errno.js'
import { absolute } from '../files/tree.js'
import type { Process } from './process.js'
import type { System } from './system.js'

/** A program as it is started: its process, its arguments without its own name, its environment. */
export interface Call {
  readonly system: System
  readonly process: Process
  readonly name: Bytes
  readonly args: readonly Bytes[]
  readonly env: ReadonlyMap<Bytes, Bytes>
}

/** A program of the emulated guest. Resolves to its exit code. */
export type Program = (call: Call) => Promise<number>

/** Finds programs by the name that their file holds. */
export type ProgramTable = (name: string) => Program | undefined

/** What an executable of the emulator looks like on its disk: it can be copied and linked, as any file. */
const signature = '\x7fELF\x02\x01\x01\x00emulated-program='

/** The content of the file of a program. */
export function executableContent(program: string): Bytes {
  return `${signature}${program}\x00`
}

/** Where a command was found, by the name it is started with, or why not: 127 when it is nowhere, 126 when it may not be run. */
export type Lookup = { readonly path: Bytes } | { readonly status: 126 | 127; readonly reason: string }

/** Looks for a command as `execvp` does. */
export function findCommand(system: System, process: Process, name: Bytes, path: Bytes): Lookup {
  const candidates = name.includes('/')
    ? [name]
    : path.split(':').map(directory => `${directory || '.'}/${name}`)
  let denied: Bytes | undefined
  for (const candidate of candidates) {
    const node = system.tree.lookup(absolute(process.cwd, candidate), process)
    if (!node) continue
    if (node.type === 'directory' || !system.tree.allows(node, process, 'x')) {
      denied ??= node.type === 'directory' ? 'Is a directory' : 'Permission denied'
      continue
    }
    return { path: candidate }
  }
  if (denied !== undefined && name.includes('/')) return { status: 126, reason: denied }
  if (denied === 'Permission denied') return { status: 126, reason: denied }
  return { status: 127, reason: name.includes('/') ? 'No such file or directory' : 'not found' }
}

/** The program or script and its arguments; a text that a shell is given is neither. */
function startedLine(argv: readonly Bytes[]): string {
  const text = argv.indexOf('-c')
  return toText((text < 0 ? argv : argv.slice(0, text)).join(' '))
}

/** Runs the file at `path` in this process, as `execve` does. Throws ENOEXEC or ENOENT where that fails. */
export async function execute(
  system: System,
  process: Process,
  path: Bytes,
  argv: readonly Bytes[],
  env: ReadonlyMap<Bytes, Bytes>,
  depth = 0,
): Promise<number> {
  const content = system.tree.read(absolute(process.cwd, path), process)
  process.argv = argv
  process.environ = env
  if (depth === 0 && system.stops(startedLine(argv))) await process.whileAlive(new Promise(() => {}))
  if (content.startsWith(signature)) {
    const name = content.slice(signature.length, content.indexOf('\x00', signature.length))
    const program = system.programs(name)
    if (!program) throw new SystemError('ENOEXEC', path, 'execve')
    return program({ system, process, name: argv[0] ?? name, args: argv.slice(1), env })
  }
  if (depth > 4) throw new SystemError('ELOOP', path, 'execve')
  const line = /^#![ \t]*([^ \t\n]+)[ \t]*([^\n]*?)[ \t]*(?:\n|$)/.exec(content)
  if (content.includes('\x00') && !line) throw new SystemError('ENOEXEC', path, 'execve')
  const interpreter = line?.[1] ?? '/bin/sh'
  const option = line?.[2] ?? ''
  const options = option === '' ? [] : [option]
  return execute(
    system,
    process,
    interpreter,
    [interpreter, ...options, path, ...argv.slice(1)],
    env,
    depth + 1,
  )
}
