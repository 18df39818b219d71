import type { Call, Program } from '../system/programs.js'
import { writeTo } from './io.js'
import { readOptions } from './options.js'
import { complain } from './streams.js'

interface Row {
  readonly NAME: string
  readonly bytes: number
  readonly TYPE: 'disk' | 'part'
  readonly [column: string]: string | number
}

/** What lsblk knows, from /sys/block and /proc/partitions. */
function blockRows({ system }: Call): Row[] {
  const { tree } = system
  const read = (path: string): string => (tree.lookup(path) ? tree.read(path).trim() : '')
  const rows = [...tree.read('/proc/partitions').matchAll(/^ *(\d+) +(\d+) +(\d+) (\w+)$/gm)]
  return rows.map(([, major = '', minor = '', kib = '', name = '']) => {
    const isDisk = tree.lookup(`/sys/block/${name}`) !== undefined
    return {
      NAME: name,
      KNAME: name,
      'MAJ:MIN': `${major.padStart(3)}:${minor.padEnd(3)}`,
      RM: read(`/sys/block/${name}/removable`) || '0',
      RO: read(`/sys/block/${name}/ro`) || '0',
      bytes: Number(kib) * 1024,
      TYPE: isDisk ? 'disk' : 'part',
      SERIAL: read(`/sys/block/${name}/serial`),
      MOUNTPOINT: mountedAt(read('/proc/mounts'), name),
      MOUNTPOINTS: mountedAt(read('/proc/mounts'), name),
    }
  })
}

function mountedAt(mounts: string, name: string): string {
  return new RegExp(`^/dev/${name} (\\S+) `, 'm').exec(mounts)?.[1] ?? ''
}

/** The columns of lsblk, each as wide as its longest cell; numbers stand at its right. */
const lsblk: Program = async call => {
  const options = readOptions(call.args, 'abdno:pr', {
    all: 'a',
    bytes: 'b',
    nodeps: 'd',
    noheadings: 'n',
    output: 'o',
    paths: 'p',
    raw: 'r',
  })
  if (options.mistake !== undefined) return complain(call, options.mistake)
  const columns = (options.value('o') ?? 'NAME,MAJ:MIN,RM,SIZE,RO,TYPE,MOUNTPOINTS').toUpperCase().split(',')
  const wanted = options.operands.map(path => path.replace('/dev/', ''))
  const all = blockRows(call)
  const missing = wanted.find(name => !all.some(row => row.NAME === name))
  if (missing !== undefined) return complain(call, `${missing}: not a block device`)
  const unknown = columns.find(column => column !== 'SIZE' && all.some(row => row[column] === undefined))
  if (unknown !== undefined) return complain(call, `unknown column: ${unknown}`)
  const shown = all
    .filter(({ TYPE }) => TYPE === 'disk' || !options.has('d'))
    .filter(({ NAME }) => wanted.length === 0 || wanted.some(name => NAME.startsWith(name)))
  const cells = shown.map(row =>
    columns.map(column => {
      if (column === 'SIZE') return options.has('b') ? String(row.bytes) : sizeWords(row.bytes)
      const text = String(row[column])
      if (column !== 'NAME') return text
      const name = options.has('p') ? `/dev/${text}` : text
      return row.TYPE === 'part' && !options.has('r') && !options.has('d') ? `\u2514\u2500${name}` : name
    }),
  )
  const table = options.has('n') ? cells : [columns, ...cells]
  const widths = columns.map((_, place) => Math.max(...table.map(row => row[place]?.length ?? 0)))
  const lines = table.map(row =>
    options.has('r')
      ? row.join(' ')
      : row
          .map((cell, place) =>
            ['SIZE', 'RM', 'RO'].includes(columns[place] ?? '')
              ? cell.padStart(widths[place] ?? 0)
              : cell.padEnd(widths[place] ?? 0),
          )
          .join(' ')
          .trimEnd(),
  )
  await writeTo(call.process, 1, Buffer.from(lines.map(line => `${line}\n`).join('')).toString('latin1'))
  return 0
}

/** With one digit after the point where that is not zero. */
function sizeWords(bytes: number): string {
  const units = ['B', 'K', 'M', 'G', 'T', 'P']
  let value = bytes
  let unit = 0
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024
    unit++
  }
  return `${value.toFixed(1).replace(/\.0$/, '')}${units[unit]}`
}

/** `ip link` and `ip addr`, as far as /sys/class/net tells; addresses are not played. */
const ip: Program = async call => {
  const words = call.args.filter(arg => !arg.startsWith('-'))
  const isOneLine = call.args.some(arg => arg === '-o' || arg === '-oneline')
  const [object = '', verb = 'show', ...rest] = words
  const isKnown =
    /^(?:l|li|lin|link|a|ad|add|addr|address)$/.test(object) && /^(?:s|sh|sho|show|ls|list)$/.test(verb)
  if (!isKnown) return complain(call, `the emulator does not know ip ${words.join(' ')}`)
  const { tree } = call.system
  const folder = tree.need('/sys/class/net')
  const names = folder.type === 'directory' ? folder.entries.names(call.process) : []
  const read = (name: string, file: string): string => tree.read(`/sys/class/net/${name}/${file}`).trim()
  const sorted = [...names].sort((a, b) => Number(read(a, 'ifindex')) - Number(read(b, 'ifindex')))
  const only = rest.filter(word => word !== 'dev')
  const unknown = only.find(name => !names.includes(name))
  if (unknown !== undefined) {
    await writeTo(call.process, 2, `Device "${unknown}" does not exist.\n`)
    return 1
  }
  for (const name of sorted) {
    if (only.length > 0 && !only.includes(name)) continue
    const state = read(name, 'operstate')
    const isLoopback = name === 'lo'
    const flags = isLoopback
      ? 'LOOPBACK,UP,LOWER_UP'
      : `BROADCAST,MULTICAST${state === 'up' ? ',UP,LOWER_UP' : ''}`
    const kind = isLoopback ? 'loopback' : 'ether'
    const broadcast = isLoopback ? '00:00:00:00:00:00' : 'ff:ff:ff:ff:ff:ff'
    const queue = isLoopback ? 'noqueue' : state === 'up' ? 'pfifo_fast' : 'noop'
    const first = `${read(name, 'ifindex')}: ${name}: <${flags}> mtu ${read(name, 'mtu')} qdisc ${queue} state ${state.toUpperCase()} mode DEFAULT group default qlen 1000`
    const second = `    link/${kind} ${read(name, 'address')} brd ${broadcast}`
    await writeTo(call.process, 1, isOneLine ? `${first}\\${second}\n` : `${first}\n${second}\n`)
  }
  return 0
}

/** Programs that list disks and network cards. */
export const devicePrograms: Readonly<Record<string, Program>> = { lsblk, ip }
