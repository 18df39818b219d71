import {
  FileError,
  type FileNode,
  fitsPattern,
  resolvePath,
  sizeOf,
  splitPath,
  type WinNode,
} from '../store/files.js'
import { complain, print } from '../system/context.js'
import { dirDate, dirTime } from '../system/time-zone.js'
import { decodeMarked, encode } from '../text/code-pages.js'
import type { Builtin } from './builtin.js'
import type { Shell } from './session.js'

/** The words of a command's line: switches in lower case, and paths without their quotes. */
function words(rest: string): { readonly switches: readonly string[]; readonly paths: readonly string[] } {
  const found = rest.match(/"[^"]*"|\/[^\s/"]+|[^\s/",;=]+(?:"[^"]*"[^\s",;=]*)*/g) ?? []
  return {
    switches: found.filter(it => it.startsWith('/')).map(it => it.toLowerCase()),
    paths: found.filter(it => !it.startsWith('/')).map(it => it.replaceAll('"', '')),
  }
}

/** The files and folders that a path with a pattern in its last part means. */
function matching({ system }: Shell, full: string): WinNode[] {
  const { folder, name } = splitPath(full)
  if (!/[*?]/.test(name)) {
    const node = system.files.find(full)
    return node ? [node] : []
  }
  return system.files.list(folder).filter(it => fitsPattern(it.name, name))
}

const type: Builtin = async (shell, rest) => {
  const { paths } = words(rest)
  if (paths.length === 0) {
    await complain(shell, 'The syntax of the command is incorrect.\r\n')
    return (shell.errorLevel = 1)
  }
  let code = 0
  for (const path of paths) {
    const full = resolvePath(shell.cwd, path)
    const found = matching(shell, full).filter((it): it is FileNode => it.type === 'file')
    if (found.length === 0) {
      const folder = shell.system.files.find(splitPath(full).folder)
      await complain(shell, `The system cannot find the ${folder ? 'file' : 'path'} specified.\r\n`)
      code = 1
    }
    for (const file of found) {
      if (paths.length > 1 || found.length > 1) await complain(shell, `\r\n${file.name}\r\n\r\n\r\n`)
      const utf16 = file.data[0] === 0xff && file.data[1] === 0xfe
      const data = utf16
        ? encode(decodeMarked(file.data, shell.console.codePage), shell.console.codePage)
        : file.data
      await shell.io.stdout.write(data, shell.process.signal)
    }
  }
  if (code !== 0) shell.errorLevel = code
  return code
}

const grouped = (value: number): string => String(value).replace(/\B(?=(\d{3})+$)/g, ',')

const dir: Builtin = async (shell, rest) => {
  const { switches, paths } = words(rest)
  const written = paths[0] ?? '.'
  const full = resolvePath(shell.cwd, written)
  const node = shell.system.files.find(full)
  const folder = node?.type === 'folder' ? full : splitPath(full).folder
  const pattern = node?.type === 'folder' ? '*' : splitPath(full).name
  if (shell.system.files.find(folder)?.type !== 'folder') {
    await complain(shell, 'The system cannot find the path specified.\r\n')
    return (shell.errorLevel = 1)
  }
  const attributes = switches.find(it => it.startsWith('/a')) ?? ''
  const found = shell.system.files
    .list(folder)
    .filter(it => fitsPattern(it.name, pattern))
    .filter(it => !/^\/a:?-d/.test(attributes) || it.type === 'file')
    .filter(it => !/^\/a:?d/.test(attributes) || it.type === 'folder')
  const bare = switches.includes('/b')
  if (found.length === 0 && (bare || pattern !== '*')) {
    if (!bare) await print(shell, header(shell, folder))
    await complain(shell, 'File Not Found\r\n')
    return (shell.errorLevel = 1)
  }
  if (bare) {
    const prefix = switches.includes('/s') ? `${folder}\\` : ''
    await print(shell, found.map(it => `${prefix}${it.name}\r\n`).join(''))
    return (shell.errorLevel = 0)
  }
  await print(shell, header(shell, folder) + listing(shell, found, pattern === '*' && folder.length > 3))
  return (shell.errorLevel = 0)
}

function header({ system }: Shell, folder: string): string {
  const { label } = system.persona.storage
  const named = label === '' ? 'has no label.' : `is ${label}`
  return ` Volume in drive C ${named}\r\n Volume Serial Number is 4C1F-8A02\r\n\r\n Directory of ${folder}\r\n\r\n`
}

function listing({ system }: Shell, found: readonly WinNode[], dots: boolean): string {
  const line = (ms: number, size: string, name: string): string => {
    const t = system.zone.local(ms)
    return `${dirDate(t)}  ${dirTime(t)} ${size} ${name}\r\n`
  }
  const now = system.clock.wallMs()
  const folders = found.filter(it => it.type === 'folder').length + (dots ? 2 : 0)
  const files = found.filter((it): it is FileNode => it.type === 'file')
  const bytes = files.reduce((sum, file) => sum + sizeOf(file), 0)
  const lines = found.map(it =>
    line(
      it.modifiedMs,
      it.type === 'folder' ? '   <DIR>         ' : grouped(sizeOf(it)).padStart(17),
      it.name,
    ),
  )
  const own = dots ? [line(now, '   <DIR>         ', '.'), line(now, '   <DIR>         ', '..')] : []
  const free = grouped(system.persona.storage.freeBytes)
  return `${own.join('')}${lines.join('')}${String(files.length).padStart(16)} File(s) ${grouped(bytes).padStart(14)} bytes\r\n${String(folders).padStart(16)} Dir(s)  ${free.padStart(14)} bytes free\r\n`
}

const del: Builtin = async (shell, rest) => {
  const { paths } = words(rest)
  let code = 0
  for (const path of paths) {
    const full = resolvePath(shell.cwd, path)
    const found = matching(shell, full)
    const { folder } = splitPath(full)
    if (found.length === 0) {
      await complain(shell, `Could Not Find ${full}\r\n`)
      continue
    }
    for (const it of found) {
      if (it.type === 'folder') continue
      try {
        shell.system.files.remove(`${folder.replace(/\\$/, '')}\\${it.name}`)
      } catch (error) {
        if (!(error instanceof FileError)) throw error
        await complain(shell, `${full}\r\nAccess is denied.\r\n`)
        code = 1
      }
    }
  }
  return code
}

const mkdir: Builtin = async (shell, rest) => {
  for (const path of words(rest).paths) {
    const full = resolvePath(shell.cwd, path)
    if (shell.system.files.find(full)) {
      await complain(shell, `A subdirectory or file ${path} already exists.\r\n`)
      return (shell.errorLevel = 1)
    }
    shell.system.files.folder(full, true)
  }
  return (shell.errorLevel = 0)
}

const rmdir: Builtin = async (shell, rest) => {
  const { switches, paths } = words(rest)
  for (const path of paths) {
    const full = resolvePath(shell.cwd, path)
    const node = shell.system.files.find(full)
    if (node?.type !== 'folder') {
      await complain(
        shell,
        `${node ? 'The directory name is invalid.' : 'The system cannot find the file specified.'}\r\n`,
      )
      return (shell.errorLevel = node ? 267 : 2)
    }
    if (node.entries.size > 0 && !switches.includes('/s')) {
      await complain(shell, 'The directory is not empty.\r\n')
      return (shell.errorLevel = 145)
    }
    shell.system.files.remove(full)
  }
  return (shell.errorLevel = 0)
}

function target(shell: Shell, path: string, name: string): string {
  const full = resolvePath(shell.cwd, path)
  return shell.system.files.find(full)?.type === 'folder' ? `${full.replace(/\\$/, '')}\\${name}` : full
}

function copier(move: boolean): Builtin {
  return async (shell, rest) => {
    const { paths } = words(rest)
    const sources = (paths[0] ?? '').split('+').map(path => resolvePath(shell.cwd, path))
    const found = sources.flatMap(full =>
      matching(shell, full).map(node => ({ node, folder: splitPath(full).folder })),
    )
    const files = found.filter((it): it is { node: FileNode; folder: string } => it.node.type === 'file')
    if (files.length === 0) {
      await complain(shell, 'The system cannot find the file specified.\r\n')
      return (shell.errorLevel = 1)
    }
    const { system } = shell
    if (sources.length > 1) {
      system.files.write(
        target(shell, paths[1] ?? paths[0] ?? '', files[0]?.node.name ?? ''),
        Buffer.concat(files.map(it => it.node.data)),
      )
    } else {
      for (const { node, folder } of files) {
        const to = target(shell, paths[1] ?? '.', node.name)
        const written = system.files.write(to, node.data)
        if (node.program) written.program = node.program
        if (move) system.files.remove(`${folder.replace(/\\$/, '')}\\${node.name}`)
      }
    }
    await print(
      shell,
      `${String(sources.length > 1 ? 1 : files.length).padStart(9)} file(s) ${move ? 'moved' : 'copied'}.\r\n`,
    )
    return (shell.errorLevel = 0)
  }
}

const rename: Builtin = async (shell, rest) => {
  const { paths } = words(rest)
  const from = resolvePath(shell.cwd, paths[0] ?? '')
  const file = shell.system.files.file(from)
  shell.system.files.write(`${splitPath(from).folder.replace(/\\$/, '')}\\${paths[1] ?? ''}`, file.data)
  shell.system.files.remove(from)
  return (shell.errorLevel = 0)
}

/** The commands inside cmd that have to do with files. */
export const fileBuiltins: readonly (readonly [string, Builtin])[] = [
  ['type', type],
  ['dir', dir],
  ['del', del],
  ['erase', del],
  ['mkdir', mkdir],
  ['md', mkdir],
  ['rmdir', rmdir],
  ['rd', rmdir],
  ['copy', copier(false)],
  ['move', copier(true)],
  ['ren', rename],
  ['rename', rename],
]
