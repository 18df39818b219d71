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

const blockBytes = 4096

/** What files take of the disk, in KiB: whole blocks of 4 KiB. */
const du: Program = async call => {
  const options = readOptions(call.args, 'akscx', { kilobytes: 'k', summarize: 's', all: 'a', total: 'c' })
  const { tree } = call.system
  const lines: string[] = []
  const measure = (node: Node, path: Bytes, isOperand: boolean): number => {
    if (node.type !== 'directory') {
      const kib = node.type === 'live' ? 0 : (Math.ceil(bytesOf(node, call) / blockBytes) * blockBytes) / 1024
      if (isOperand || options.has('a')) lines.push(`${kib}\t${path}\n`)
      return kib
    }
    let kib = blockBytes / 1024
    for (const name of node.entries.names(call.process)) {
      const inner = node.entries.get(name, call.process)
      if (inner) kib += measure(inner, `${path === '/' ? '' : path}/${name}`, false)
    }
    if (isOperand || !options.has('s')) lines.push(`${kib}\t${path}\n`)
    return kib
  }
  let status = 0
  let sum = 0
  for (const path of options.operands.length > 0 ? options.operands : ['.']) {
    try {
      sum += measure(tree.need(absolute(call.process.cwd, path), call.process, false), path, true)
    } catch (error) {
      if (!(error instanceof SystemError)) throw error
      status = await complain(call, `cannot access '${path}': ${describe(error)}`)
    }
  }
  if (options.has('c')) lines.push(`${sum}\ttotal\n`)
  await writeTo(call.process, 1, lines.join(''))
  return status
}

/** Programs that show what files and file systems are. */
export const statPrograms: Readonly<Record<string, Program>> = { stat, df, du }
