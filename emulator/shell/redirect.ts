import type { Bytes } from '../files/bytes.js'
import { toBuffer } from '../files/bytes.js'
import { SystemError } from '../files/errno.js'
import { openPath } from '../files/open.js'
import { OpenFile } from '../files/open-file.js'
import { absolute } from '../files/tree.js'
import type { Process } from '../system/process.js'
import type { System } from '../system/system.js'
import type { RedirectionNode, WordNode } from './ast.js'
import { expandToText, expandWords } from './expand.js'
import type { ExpansionHost } from './expansion.js'

/** A redirection that failed: the command is not run, the shell goes on. */
export class RedirectionError extends Error {
  readonly status: number

  constructor(message: string, status: number) {
    super(message)
    this.status = status
  }
}

/** Redirections that were made: one of these two must follow. */
export interface Redirected {
  /** Puts the descriptors back as they were. */
  undo(): void
  /** Leaves them as they are now. */
  keep(): void
}

/** What a redirection needs to know. */
export interface RedirectionHost extends ExpansionHost {
  readonly system: System
  readonly process: Process
  /** `set -C` */
  readonly noClobber: boolean
}

/** Opens a file for a shell or a program, minding the names that mean open descriptors. */
export function openFor(
  system: System,
  process: Process,
  path: Bytes,
  flags: Omit<Parameters<typeof openPath>[2], 'umask'>,
): OpenFile {
  const full = absolute(process.cwd, path)
  const descriptor = /^\/(?:dev\/(?:fd\/(\d+)|(stdin|stdout|stderr))|proc\/self\/fd\/(\d+))$/.exec(full)
  if (descriptor) {
    const named = ['stdin', 'stdout', 'stderr'].indexOf(descriptor[2] ?? '')
    const number = named >= 0 ? named : Number(descriptor[1] ?? descriptor[3])
    const file = process.files.get(number)
    if (!file) throw new SystemError('ENOENT', full)
    return file.retain()
  }
  return openPath(system.tree, full, { ...flags, umask: process.umask }, process)
}

/**
 * Applies redirections to the descriptors of a process, in order: the shell's own, or those of a child that it
 * forked. Returns what puts them back. Throws RedirectionError.
 */
export async function redirect(
  host: RedirectionHost,
  redirections: readonly RedirectionNode[],
  process: Process = host.process,
): Promise<Redirected> {
  const { files } = process
  const saved: { fd: number; file: OpenFile | undefined }[] = []
  const undo = (): void => {
    for (const { fd, file } of saved.reverse()) {
      if (file) files.set(fd, file)
      else files.close(fd)
    }
    saved.length = 0
  }
  const keep = (): void => {
    for (const { file } of saved) file?.release()
    saved.length = 0
  }
  const set = (fd: number, file: OpenFile | undefined): void => {
    saved.push({ fd, file: files.get(fd)?.retain() })
    if (file) files.set(fd, file)
    else files.close(fd)
  }
  try {
    for (const redirection of redirections) await applyOne(host, process, redirection, set)
  } catch (error) {
    undo()
    throw error
  }
  return { undo, keep }
}

type Set = (fd: number, file: OpenFile | undefined) => void

async function applyOne(
  host: RedirectionHost,
  process: Process,
  node: RedirectionNode,
  set: Set,
): Promise<void> {
  const { operator, target } = node
  if (target.type === 'HereDoc') {
    const content = target.stripTabs ? withoutTabs(target.content) : target.content
    const text = target.quoted
      ? await expandToText(host, content)
      : await expandToText(host, content, 'quoted')
    set(node.fd ?? 0, fileOf(toBuffer(text)))
    return
  }
  if (operator === '<<<') {
    set(node.fd ?? 0, fileOf(toBuffer(`${await expandToText(host, target)}\n`)))
    return
  }
  const [word = '', ...more] = await expandWords(host, [target])
  if (more.length > 0) throw new RedirectionError(`${word}: ambiguous redirect`, 1)
  const path = word
  const open: Open = flags => {
    try {
      return openFor(host.system, process, path, flags)
    } catch (error) {
      throw error instanceof SystemError ? refusal(host, path, flags, error) : error
    }
  }
  switch (operator) {
    case '<':
      return set(node.fd ?? 0, open({ read: true }))
    case '<>':
      return set(node.fd ?? 0, open({ read: true, write: true, create: true }))
    case '>':
      return set(node.fd ?? 1, clobber(host, process, path, open))
    case '>|':
      return set(node.fd ?? 1, open({ write: true, create: true, truncate: true }))
    case '>>':
      return set(node.fd ?? 1, open({ write: true, create: true, append: true }))
    case '&>':
    case '&>>': {
      const file = open({
        write: true,
        create: true,
        truncate: operator === '&>',
        append: operator === '&>>',
      })
      set(1, file)
      set(2, file.retain())
      return
    }
    case '<&':
    case '>&':
      return duplicate(host, process, node.fd ?? (operator === '<&' ? 0 : 1), path, set, open)
    default:
      throw new RedirectionError(`Syntax error: ${operator} unexpected`, 2)
  }
}

type Open = (flags: Parameters<typeof openFor>[3]) => OpenFile

/** What the shell says of a file that it cannot open. */
function refusal(
  host: RedirectionHost,
  path: Bytes,
  flags: Parameters<typeof openFor>[3],
  error: SystemError,
): RedirectionError {
  if (host.flavour === 'bash') return new RedirectionError(`${path}: ${error.text}`, 1)
  const missing = flags.create ? 'Directory nonexistent' : 'No such file'
  return new RedirectionError(
    `cannot ${flags.create ? 'create' : 'open'} ${path}: ${error.code === 'ENOENT' ? missing : error.text}`,
    2,
  )
}

function clobber(host: RedirectionHost, process: Process, path: Bytes, open: Open): OpenFile {
  if (!host.noClobber) return open({ write: true, create: true, truncate: true })
  const node = host.system.tree.lookup(absolute(process.cwd, path), process)
  if (node && node.type !== 'file') return open({ write: true })
  if (node && host.flavour === 'dash') throw new RedirectionError(`cannot create ${path}: File exists`, 2)
  if (node) throw new RedirectionError(`${path}: cannot overwrite existing file`, 1)
  return open({ write: true, create: true, exclusive: true })
}

function duplicate(
  host: RedirectionHost,
  process: Process,
  fd: number,
  word: Bytes,
  set: Set,
  open: Open,
): void {
  if (word === '-') {
    set(fd, undefined)
    return
  }
  const move = /^(\d+)(-?)$/.exec(word)
  if (!move) {
    if (host.flavour === 'dash' || fd !== 1) throw new RedirectionError(`${word}: bad fd number`, 2)
    const file = open({ write: true, create: true, truncate: true })
    set(1, file)
    set(2, file.retain())
    return
  }
  const source = Number(move[1])
  const file = process.files.get(source)
  if (!file) throw new RedirectionError(`${source}: Bad file descriptor`, host.flavour === 'dash' ? 2 : 1)
  set(fd, file.retain())
  if (move[2] === '-' && source !== fd) set(source, undefined)
}

/** `<<-`: the tabs at the start of each line go; those that an expansion brings stay. */
function withoutTabs(content: WordNode): WordNode {
  let lineStart = true
  const parts = content.parts.map(part => {
    const before = lineStart
    lineStart = false
    if (part.type !== 'Literal') return part
    lineStart = part.value.endsWith('\n')
    const value = part.value.replace(/\n\t+/g, '\n')
    return { ...part, value: before ? value.replace(/^\t+/, '') : value }
  })
  return { ...content, parts }
}

/** A file without a name that holds the text: here-documents. */
export function fileOf(content: Buffer): OpenFile {
  let offset = 0
  return new OpenFile(
    {
      kind: 'pipe',
      read: max => {
        const taken = content.subarray(offset, offset + max)
        offset += taken.length
        return taken
      },
    },
    'pipe:',
  )
}
