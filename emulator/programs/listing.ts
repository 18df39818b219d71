import type { Bytes } from '../files/bytes.js'
import { describe, SystemError } from '../files/errno.js'
import type { Node } from '../files/nodes.js'
import { absolute } from '../files/tree.js'
import type { Call, Program } from '../system/programs.js'
import { formatDate } from './date.js'
import { bytesOf, group, isDevice, links, modeText, owner } from './file-facts.js'
import { writeTo } from './io.js'
import { readOptions } from './options.js'
import { complain } from './streams.js'

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

/** Lists files. */
export const listingPrograms: Readonly<Record<string, Program>> = { ls }
