import { type FileError, resolvePath } from '../store/files.js'
import type { Context } from '../system/context.js'
import { cmdDate, cmdTime } from '../system/time-zone.js'
import { expandDelayed } from './expand.js'
import type { Node } from './parse.js'

/** What `exit` throws through the commands around it. */
export class Exit {
  readonly code: number
  readonly batchOnly: boolean

  constructor(code: number, batchOnly: boolean) {
    this.code = code
    this.batchOnly = batchOnly
  }
}

/** What `goto` throws to the batch file that runs. */
export class Goto {
  readonly label: string

  constructor(label: string) {
    this.label = label
  }
}

/** One cmd: what its commands share. */
export interface Shell extends Context {
  errorLevel: number
  echo: boolean
  delayed: boolean
  readonly folders: string[]
  /** Arguments of the batch file that runs, `%0` first; undefined on a command line. */
  batch: readonly string[] | undefined
  /** Runs one line as typed. */
  runLine(shell: Shell, line: string): Promise<number>
  /** Runs a part of a line that was read. */
  run(shell: Shell, node: Node, loop: Loop): Promise<number>
  /** Runs a program or batch file that a line names. */
  external(shell: Shell, text: string): Promise<number>
}

/** Values of `%%a` and its like. */
export type Loop = ReadonlyMap<string, string>

/** The value of a variable, with those that cmd makes as they are asked for. */
export function variable(shell: Shell, name: string): string | undefined {
  const value = shell.env.get(name)
  if (value !== undefined) return value
  const local = (): ReturnType<typeof shell.system.zone.local> =>
    shell.system.zone.local(shell.system.clock.wallMs())
  switch (name.toLowerCase()) {
    case 'errorlevel':
      return String(shell.errorLevel | 0)
    case 'cd':
      return shell.cwd
    case 'date':
      return cmdDate(local())
    case 'time':
      return cmdTime(local())
    case 'random':
      return String(Math.floor(Math.random() * 32_768))
    case 'cmdcmdline':
      return shell.process.line
    default:
      return undefined
  }
}

/** Text with loop variables and delayed variables put in. */
export function finished(shell: Shell, text: string, loop: Loop): string {
  let out = text
  if (loop.size > 0)
    out = out.replace(
      /%{1,2}(?:~([a-z]*))?([a-z#?!@])/gi,
      (whole, modifier: string | undefined, name: string) => {
        const value = loop.get(name)
        if (value === undefined) return whole
        return modifier === undefined ? value : loopValue(value, modifier, shell)
      },
    )
  return shell.delayed ? expandDelayed(out, name => variable(shell, name)) : out
}

function loopValue(value: string, modifier: string, shell: Shell): string {
  const bare = value.replace(/^"|"$/g, '')
  const path = resolvePath(shell.cwd, bare)
  const name = path.slice(path.lastIndexOf('\\') + 1)
  const dot = name.lastIndexOf('.')
  if (/z/i.test(modifier)) {
    const node = shell.system.files.find(path)
    return node?.type === 'file' ? String(node.size ?? node.data.length) : ''
  }
  if (modifier === '') return bare
  let out = ''
  if (/f/i.test(modifier)) return path
  if (/d/i.test(modifier)) out += path.slice(0, 2)
  if (/p/i.test(modifier)) out += path.slice(2, path.lastIndexOf('\\') + 1)
  if (/n/i.test(modifier)) out += dot < 0 ? name : name.slice(0, dot)
  if (/x/i.test(modifier)) out += dot < 0 ? '' : name.slice(dot)
  return out
}

/** What cmd says of a file that cannot be had. */
export function fileText(error: FileError): string {
  switch (error.trouble) {
    case 'path-not-found':
      return 'The system cannot find the path specified.'
    case 'denied':
      return 'Access is denied.'
    case 'name':
      return 'The filename, directory name, or volume label syntax is incorrect.'
    case 'not-empty':
      return 'The directory is not empty.'
    case 'exists':
      return 'A file with that name already exists.'
    default:
      return 'The system cannot find the file specified.'
  }
}
