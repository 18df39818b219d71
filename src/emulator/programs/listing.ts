import type { Bytes } from '../files/bytes.js'
import { describe, SystemError } from '../files/errno.js'
import type { Node } from '../files/nodes.js'
import { absolute } from '../files/tree.js'
import type { Call, Program } from '../system/programs.js'
import { formatDate } from './date.js'
import { writeTo } from './io.js'
import { readOptions } from './options.js'
import { complain } from './streams.js'

const typeLetters: Readonly<Record<Node['type'], string>> = {
  file: '-',
  live: '-',
  directory: 'd',
  link: 'l',
  char: 'c',
  block: 'b',
}

/** The mode as `ls -l` shows it. */
export function modeText(node: Node): string {
  const letters = ['r', 'w', 'x']
  let text = ''
  for (let bit = 8; bit >= 0; bit--) text += (node.mode >> bit) & 1 ? (letters[(8 - bit) % 3] ?? '') : '-'
  const set = (at: number, on: boolean, letter: string): void => {
    if (on) text = text.slice(0, at) + (text[at] === 'x' ? letter : letter.toUpperCase()) + text.slice(at + 1)
  }
  set(2, (node.mode & 0o4000) !== 0, 's')
  set(5, (node.mode & 0o2000) !== 0, 's')
  set(8, (node.mode & 0o1000) !== 0, 't')
  return typeLetters[node.type] + text
}

function bytesOf(node: Node, call: Call): number {
  if (node.type === 'file') return node.data.length
  if (node.type === 'link')
    return (typeof node.target === 'string' ? node.target : node.target(call.process)).length
  return node.type === 'directory' || node.type === 'live' ? 4096 : 0
}

function owner(call: Call, uid: number): string {
  return call.system.accounts.find(account => account.uid === uid)?.name ?? String(uid)
}

function group(call: Call, gid: number): string {
  return call.system.accounts.find(account => account.gid === gid)?.group ?? String(gid)
}

function links(node: Node): number {
  return node.type === 'file' ? node.links : node.type === 'directory' ? 2 : 1
}

function isDevice(node: Node): node is Extract<Node, { type: 'char' | 'block' }> {
  return node.type === 'char' || node.type === 'block'
}

interface Row {
  readonly name: Bytes
  readonly node: Node
}

type Options = ReturnType<typeof readOptions>

function long(call: Call, rows: readonly Row[], options: Options): string {
  const cells = rows.map(({ name, node }) => {
    const device = isDevice(node) ? `${node.major}, ${node.minor}` : String(bytesOf(node, call))
    const ids = options.has('n')
      ? [String(node.uid), String(node.gid)]
      : [owner(call, node.uid), group(call, node.gid)]
    const target =
      node.type === 'link'
        ? ` -> ${typeof node.target === 'string' ? node.target : node.target(call.process)}`
        : ''
    const at = formatDate('%b %e %H:%M', BigInt(Math.round(node.modifiedMs)) * 1_000_000n)
    return [
      ...(options.has('i') ? [String(node.inode)] : []),
      modeText(node),
      String(links(node)),
      ...ids,
      device,
      at,
      shown({ name, node }, options) + target,
    ]
  })
  const widths = cells[0]?.map((_, column) => Math.max(...cells.map(row => row[column]?.length ?? 0))) ?? []
  const left = options.has('i') ? [1, 3, 4] : [0, 2, 3]
  return cells
    .map(row =>
      row
        .map((cell, column) =>
          column === row.length - 1
            ? cell
            : left.includes(column)
              ? cell.padEnd(widths[column] ?? 0)
              : cell.padStart(widths[column] ?? 0),
        )
        .join(' '),
    )
    .map(line => `${line}\n`)
    .join('')
}

function shown({ name, node }: Row, options: Options): Bytes {
  if (options.has('p') && node.type === 'directory') return `${name}/`
  if (!options.has('F')) return name
  const mark =
    node.type === 'directory' ? '/' : node.type === 'link' ? '@' : (node.mode & 0o111) !== 0 ? '*' : ''
  return `${name}${mark}`
}

function sorted(rows: Row[], options: Options, call: Call): Row[] {
  const byName = (a: Row, b: Row): number => (a.name < b.name ? -1 : 1)
  const order = options.has('t')
    ? (a: Row, b: Row) => b.node.modifiedMs - a.node.modifiedMs || byName(a, b)
    : options.has('S')
      ? (a: Row, b: Row) => bytesOf(b.node, call) - bytesOf(a.node, call) || byName(a, b)
      : byName
  if (!options.has('U')) rows.sort(order)
  return options.has('r') ? rows.reverse() : rows
}

function list(call: Call, rows: Row[], options: Options): string {
  const ordered = sorted(rows, options, call)
  if (options.has('l') || options.has('n')) return long(call, ordered, options)
  return ordered
    .map(row => `${options.has('i') ? `${row.node.inode} ` : ''}${shown(row, options)}\n`)
    .join('')
}

const ls: Program = async call => {
  const options = readOptions(call.args, 'alAdFhiln1rRtSUpLHkqs', {
    all: 'a',
    'almost-all': 'A',
    directory: 'd',
    color: '1',
    recursive: 'R',
    'full-time': 'l',
    'time-style': '1',
  })
  if (options.mistake !== undefined) return complain(call, options.mistake).then(() => 2)
  const { tree } = call.system
  const files: Row[] = []
  const directories: Row[] = []
  let status = 0
  for (const path of options.operands.length > 0 ? options.operands : ['.']) {
    try {
      const full = absolute(call.process.cwd, path)
      const plain = options.has('l') && !path.endsWith('/') && !options.has('L')
      const node = tree.need(full, call.process, !plain || options.operands.length === 0)
      const isList = node.type === 'directory' && !options.has('d')
      ;(isList ? directories : files).push({ name: path, node })
    } catch (error) {
      if (!(error instanceof SystemError)) throw error
      status = 2
      await complain(call, `cannot access ${path}: ${describe(error)}`)
    }
  }
  let text = list(call, files, options)
  const titled = directories.length + files.length > 1 || options.has('R')
  const visit = async ({ name, node }: Row): Promise<void> => {
    if (node.type !== 'directory') return
    if (!tree.allows(node, call.process, 'r')) {
      status = 2
      await complain(call, `cannot open directory ${name}: Permission denied`)
      return
    }
    if (titled) text += `${text === '' ? '' : '\n'}${name}:\n`
    const rows: Row[] = []
    for (const entry of node.entries.names(call.process)) {
      if (entry.startsWith('.') && !options.has('a') && !options.has('A')) continue
      const child = node.entries.get(entry, call.process)
      if (child) rows.push({ name: entry, node: child })
    }
    if (options.has('a')) rows.push({ name: '.', node }, { name: '..', node })
    if (options.has('l')) text += `total ${rows.length * 4}\n`
    text += list(call, rows, options)
    if (!options.has('R')) return
    for (const row of rows)
      if (row.node.type === 'directory' && !/^\.\.?$/.test(row.name))
        await visit({ name: `${name}/${row.name}`, node: row.node })
  }
  for (const directory of sorted(directories, options, call)) await visit(directory)
  await writeTo(call.process, 1, text)
  return status
}

const kinds: Readonly<Record<Node['type'], string>> = {
  file: 'regular file',
  live: 'regular file',
  directory: 'directory',
  link: 'symbolic link',
  char: 'character special file',
  block: 'block special file',
}

function statText(call: Call, format: Bytes, name: Bytes, node: Node): Bytes {
  const seconds = Math.floor(node.modifiedMs / 1000)
  const time = formatDate('%Y-%m-%d %H:%M:%S.%N +0000', BigInt(Math.round(node.modifiedMs)) * 1_000_000n)
  const bytes = node.type === 'live' ? 0 : bytesOf(node, call)
  const values: Readonly<Record<string, string>> = {
    a: node.mode.toString(8),
    A: modeText(node),
    b: String(Math.ceil(bytes / 512)),
    B: '512',
    d: '65025',
    D: 'fe01',
    f: node.mode.toString(16),
    F: node.type === 'file' && bytes === 0 ? 'regular empty file' : kinds[node.type],
    g: String(node.gid),
    G: group(call, node.gid),
    h: String(links(node)),
    i: String(node.inode),
    m: '/',
    n: name,
    N: `'${name}'`,
    o: '4096',
    s: String(bytes),
    t: isDevice(node) ? node.major.toString(16) : '0',
    T: isDevice(node) ? node.minor.toString(16) : '0',
    u: String(node.uid),
    U: owner(call, node.uid),
    w: '-',
    W: '0',
    x: time,
    X: String(seconds),
    y: time,
    Y: String(seconds),
    z: time,
    Z: String(seconds),
    '%': '%',
  }
  return format.replace(/%([a-zA-Z%])/g, (all, letter: string) => values[letter] ?? all)
}

const stat: Program = async call => {
  const options = readOptions(call.args, 'c:fLt', {
    format: 'c',
    printf: 'p',
    dereference: 'L',
    'file-system': 'f',
  })
  const format = options.value('c')
  let status = 0
  for (const path of options.operands) {
    try {
      const node = call.system.tree.need(absolute(call.process.cwd, path), call.process, options.has('L'))
      const plain =
        '  File: %N\n  Size: %s\t\tBlocks: %b\tIO Block: %o\t%F\nDevice: %Dh/%dd\tInode: %i\tLinks: %h\nAccess: (0%a/%A)  Uid: (%u/%U)   Gid: (%g/%G)\nAccess: %x\nModify: %y\nChange: %z'
      await writeTo(call.process, 1, `${statText(call, format ?? plain, path, node)}\n`)
    } catch (error) {
      if (!(error instanceof SystemError)) throw error
      status = await complain(call, `cannot stat '${path}': ${describe(error)}`)
    }
  }
  return status
}

/** The file systems of the guest: its disk, and those in memory. */
const df: Program = async call => {
  const options = readOptions(call.args, 'hkmPTail', {
    'human-readable': 'h',
    portability: 'P',
    'print-type': 'T',
    local: 'l',
  })
  const { room } = call.system.tree
  const unit = options.has('m') ? 1_048_576 : 1024
  const total = 8 * 1024 ** 3
  const free = Math.min(total, 5 * 1024 ** 3, room.freeBytes * 16)
  const mounts = call.system.tree
    .read('/proc/mounts')
    .split('\n')
    .map(line => line.split(' '))
  const rows = mounts.filter(([, point]) => point === '/' || point === '/dev/shm')
  const [head] = rows.filter(([, point]) => point === '/')
  const chosen = options.operands.length > 0 && head ? [head] : rows
  let text = `Filesystem           ${options.has('T') ? 'Type  ' : ''}${unit === 1024 ? '1K-blocks' : '1M-blocks'}      Used Available Use% Mounted on\n`
  for (const [device = '', point = '', type = ''] of chosen) {
    const [all, left] =
      point === '/'
        ? [total, free]
        : [call.system.resources.memTotalBytes / 2, call.system.resources.memTotalBytes / 2]
    const used = all - left
    const cells = [all, used, left].map(bytes => String(Math.floor(bytes / unit)).padStart(9))
    text += `${device.padEnd(20)} ${options.has('T') ? `${type.padEnd(5)} ` : ''}${cells.join(' ')} ${String(Math.round((used / all) * 100)).padStart(3)}% ${point}\n`
  }
  await writeTo(call.process, 1, text)
  return 0
}

/** Programs that show what files are. */
export const listingPrograms: Readonly<Record<string, Program>> = { ls, stat, df }
