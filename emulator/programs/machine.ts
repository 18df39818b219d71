import { describe, SystemError } from '../files/errno.js'
import type { Call, Program } from '../system/programs.js'
import { readAll, writeTo } from './io.js'
import { readOptions } from './options.js'
import { complain } from './streams.js'

const print = (call: Call, text: string): Promise<void> => writeTo(call.process, 1, text)

const uname: Program = async call => {
  const options = readOptions(call.args, 'asnrvmpio', {
    all: 'a',
    'kernel-name': 's',
    nodename: 'n',
    'kernel-release': 'r',
    'kernel-version': 'v',
    machine: 'm',
    processor: 'p',
    'hardware-platform': 'i',
    'operating-system': 'o',
  })
  if (options.mistake !== undefined) return complain(call, options.mistake)
  const { uname: it } = call.system
  const parts: readonly (readonly [string, string])[] = [
    ['s', it.sysname],
    ['n', it.nodename],
    ['r', it.release],
    ['v', it.version],
    ['m', it.machine],
    ['p', it.processor],
    ['i', it.platform],
    ['o', it.operatingSystem],
  ]
  const any = parts.some(([letter]) => options.has(letter))
  const all = options.has('a')
  const chosen = parts.filter(([letter, value]) =>
    all ? value !== 'unknown' : any ? options.has(letter) : letter === 's',
  )
  await print(call, `${chosen.map(([, value]) => value).join(' ')}\n`)
  return 0
}

const hostname: Program = async call => {
  const name = call.system.uname.nodename
  await print(call, `${call.args.includes('-s') ? name.split('.')[0] : name}\n`)
  return 0
}

const nproc: Program = async call => {
  await print(call, `${call.system.resources.vcpus}\n`)
  return 0
}

const getconf: Program = async call => {
  const [name = ''] = call.args.filter(arg => !arg.startsWith('-'))
  const { vcpus, configuredVcpus, memTotalBytes } = call.system.resources
  const values: Readonly<Record<string, string>> = {
    _NPROCESSORS_ONLN: String(vcpus),
    _NPROCESSORS_CONF: String(configuredVcpus),
    PAGESIZE: '4096',
    PAGE_SIZE: '4096',
    _PHYS_PAGES: String(Math.floor(memTotalBytes / 4096)),
    LONG_BIT: '64',
    CLK_TCK: '100',
    ARG_MAX: '2097152',
    PATH: '/bin:/usr/bin',
  }
  const value = values[name]
  if (value === undefined) return complain(call, `Unrecognized variable \`${name}'`)
  await print(call, `${value}\n`)
  return 0
}

const levelNames = ['emerg', 'alert', 'crit', 'err', 'warn', 'notice', 'info', 'debug']

function levelOf(name: string): number {
  return levelNames.indexOf(name)
}

const dmesg: Program = async call => {
  const options = readOptions(call.args, 'cCTtrxn:l:s:kHw', {
    clear: 'C',
    'read-clear': 'c',
    notime: 't',
    ctime: 'T',
    level: 'l',
    raw: 'r',
    kernel: 'k',
  })
  const { log, logRestricted, clock } = call.system
  // util-linux before 2.17 knows -c, -n and -s alone; it goes with kernels that print no times.
  const isOld = !log.timestamps
  const unknown = isOld
    ? ['r', 'l', 'T', 't', 'k', 'H', 'w', 'C'].find(letter => options.has(letter))
    : undefined
  if (unknown !== undefined) return complain(call, `invalid option -- ${unknown}`)
  const levels = options.value('l')?.split(',').map(levelOf)
  if (logRestricted && call.process.uid !== 0)
    return complain(call, 'read kernel buffer failed: Operation not permitted')
  const bootMs = Number((clock.wallNs() - clock.uptimeNs()) / 1_000_000n)
  for (const line of options.has('C') ? [] : log.lines()) {
    if (levels !== undefined && !levels.includes(line.level)) continue
    const stamp = new Date(bootMs + line.atSec * 1000)
      .toUTCString()
      .replace(/^(\w+), (\d+) (\w+) (\d+) ([\d:]+) GMT$/, '$1 $3 $2 $5 $4')
    await print(
      call,
      options.has('r')
        ? `<${line.level}>${log.format(line)}\n`
        : `${options.has('T') ? `[${stamp}] ${line.text}` : options.has('t') ? line.text : log.format(line)}\n`,
    )
  }
  if (options.has('c') || options.has('C')) log.clear()
  return 0
}

const logger: Program = async call => {
  const options = readOptions(call.args, 't:p:si', { tag: 't', priority: 'p' })
  const text =
    options.operands.length > 0
      ? options.operands.join(' ')
      : (await readAll(call.process, 0)).toString('latin1')
  const { tree, uname: it } = call.system
  const line = `${new Date(call.system.clock.wallMs()).toISOString()} ${it.nodename.split('.')[0]} ${options.value('t') ?? 'root'}: ${text}\n`
  const path = ['/var/log/messages', '/var/log/syslog'].find(log => tree.lookup(log)) ?? '/var/log/syslog'
  try {
    tree.install(path, (tree.lookup(path) ? tree.read(path) : '') + line, 0o640)
  } catch (error) {
    if (!(error instanceof SystemError)) throw error
    return complain(call, describe(error))
  }
  return 0
}

const uptime: Program = async call => {
  const seconds = Number(call.system.clock.uptimeNs() / 1_000_000_000n)
  const minutes = Math.floor(seconds / 60)
  const up =
    minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, '0')}`
  const now = new Date(call.system.clock.wallMs()).toISOString().slice(11, 19)
  await print(call, ` ${now} up ${up},  0 users,  load average: 0.08, 0.03, 0.01\n`)
  return 0
}

/** Memory in the columns of `free`, from /proc/meminfo. */
const free: Program = async call => {
  const options = readOptions(call.args, 'bkmghtwl')
  const divisor = options.has('b')
    ? 1
    : options.has('m')
      ? 1_048_576
      : options.has('g')
        ? 1_073_741_824
        : 1024
  const info = call.system.tree.read('/proc/meminfo')
  const of = (name: string): number =>
    Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(info)?.[1] ?? 0) * 1024
  const cell = (bytes: number): string => String(Math.floor(bytes / divisor)).padStart(11)
  const [total, unused, buffers, cached] = [of('MemTotal'), of('MemFree'), of('Buffers'), of('Cached')]
  const used = total - unused - buffers - cached
  await print(call, '             total       used       free     shared    buffers     cached\n')
  await print(call, `Mem: ${[total, used, unused, 0, buffers, cached].map(cell).join('')}\n`)
  await print(
    call,
    `Swap:${[of('SwapTotal'), of('SwapTotal') - of('SwapFree'), of('SwapFree')].map(cell).join('')}\n`,
  )
  return 0
}

const lsmod: Program = async call => {
  const lines = call.system.tree
    .read('/proc/modules')
    .split('\n')
    .filter(line => line !== '')
  await print(call, 'Module                  Size  Used by\n')
  for (const line of lines) {
    const [name = '', bytes = '', uses = '', by = '-'] = line.split(' ')
    const users = by === '-' ? '' : ` ${by.replace(/,$/, '')}`
    await print(call, `${name.padEnd(19)} ${bytes.padStart(8)}  ${uses}${users}\n`)
  }
  return 0
}

/** A few fields of `lscpu`, from /proc/cpuinfo. */
const lscpu: Program = async call => {
  const info = call.system.tree.read('/proc/cpuinfo')
  const of = (name: string): string => new RegExp(`^${name}\\s*: (.*)$`, 'm').exec(info)?.[1] ?? ''
  const { vcpus } = call.system.resources
  if (call.args.includes('-p') || call.args.some(arg => arg.startsWith('--parse'))) {
    const rows = Array.from({ length: vcpus }, (_, cpu) => `${cpu},${cpu},${cpu},0,,${cpu},${cpu},${cpu}`)
    await print(
      call,
      `# The following is the parsable format\n# CPU,Core,Socket,Node,,L1d,L1i,L2\n${rows.join('\n')}\n`,
    )
    return 0
  }
  const hypervisor = call.system.hypervisorVendor
  const fields: [string, string][] = [
    ['Architecture', call.system.uname.machine],
    ['CPU(s)', String(vcpus)],
    ['On-line CPU(s) list', vcpus === 1 ? '0' : `0-${vcpus - 1}`],
    ['Vendor ID', of('vendor_id')],
    ['Model name', of('model name')],
    ['CPU family', of('cpu family')],
    ['Model', of('model')],
    ['Thread(s) per core', '1'],
    ['Core(s) per socket', '1'],
    ['Socket(s)', String(vcpus)],
    ['Stepping', of('stepping')],
    ...(hypervisor === undefined
      ? []
      : ([
          ['Hypervisor vendor', hypervisor],
          ['Virtualization type', 'full'],
        ] as [string, string][])),
    ['Flags', of('flags')],
  ]
  await print(call, fields.map(([name, value]) => `${`${name}:`.padEnd(32)}${value}\n`).join(''))
  return 0
}

const sysctl: Program = async call => {
  const options = readOptions(call.args, 'newaq', { values: 'n' })
  let status = 0
  for (const name of options.operands) {
    const [key = '', value] = name.split('=')
    const path = `/proc/sys/${key.trim().replace(/\./g, '/')}`
    const node = call.system.tree.lookup(path, call.process)
    if (node?.type !== 'live' && node?.type !== 'file') {
      status = await complain(call, `cannot stat ${path}: No such file or directory`)
      continue
    }
    if (value !== undefined && node.type === 'live') node.write?.(`${value.trim()}\n`, call.process)
    const text = call.system.tree.read(path, call.process).trim().replace(/\s+/g, ' ')
    await print(call, options.has('n') ? `${text}\n` : `${key.trim()} = ${text}\n`)
  }
  return status
}

/** Programs that say what the machine is. */
export const machinePrograms: Readonly<Record<string, Program>> = {
  uname,
  hostname,
  nproc,
  getconf,
  dmesg,
  logger,
  uptime,
  free,
  lsmod,
  lscpu,
  sysctl,
  arch: async call => {
    await print(call, `${call.system.uname.machine}\n`)
    return 0
  },
  tty: async call => {
    await print(call, 'not a tty\n')
    return 1
  },
}
