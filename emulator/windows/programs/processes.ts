import type { WinProcess } from '../store/processes.js'
import { type Call, complain, type Program, print } from '../system/context.js'
import { compareNt } from '../system/nt.js'
import { csvLine, grouped, ruledTable } from '../text/tables.js'

function optionValues(args: readonly string[], name: string): string[] {
  return args.flatMap((it, index) => (it.toLowerCase() === `/${name}` ? [args[index + 1] ?? ''] : []))
}

/** tasklist.exe. See learn.microsoft.com/windows-server/administration/windows-commands/tasklist. */
export const tasklist: Program = async call => {
  const { processes, services, where } = call.system
  const args = call.args
  const format = optionValues(args, 'fo')[0]?.toLowerCase() ?? 'table'
  const headless = args.some(it => it.toLowerCase() === '/nh')
  const withServices = args.some(it => it.toLowerCase() === '/svc')
  const filters = optionValues(args, 'fi').map(parseFilter)
  if (filters.some(it => it === undefined)) {
    await complain(call, 'ERROR: The search filter cannot be recognized.\r\n')
    return 1
  }
  const shown = processes.list().filter(it => filters.every(filter => filter?.(it, call) ?? true))
  if (shown.length === 0) {
    await print(call, 'INFO: No tasks are running which match the specified criteria.\r\n')
    return 0
  }
  const session = (it: WinProcess): string =>
    it.session === 0 ? (compareNt(where.nt, '6.0') < 0 ? 'Console' : 'Services') : 'Console'
  const hosted = (it: WinProcess): string =>
    [...services.values()]
      .filter(service => service.pid === it.pid && it.pid !== 0)
      .map(service => service.name)
      .join(', ') || 'N/A'
  const heads = withServices
    ? ['Image Name', 'PID', 'Services']
    : ['Image Name', 'PID', 'Session Name', 'Session#', 'Mem Usage']
  const rows = shown.map(it =>
    withServices
      ? [it.image, String(it.pid), hosted(it)]
      : [it.image, String(it.pid), session(it), String(it.session), `${grouped(it.kb)} K`],
  )
  if (format === 'csv') await print(call, `${headless ? '' : csvLine(heads)}${rows.map(csvLine).join('')}`)
  else if (format === 'list')
    await print(
      call,
      rows
        .map(row => `\r\n${row.map((cell, index) => `${`${heads[index]}:`.padEnd(14)}${cell}\r\n`).join('')}`)
        .join(''),
    )
  else {
    const widths: readonly (readonly [string, number, boolean?])[] = withServices
      ? [
          ['Image Name', 25],
          ['PID', 8, true],
          ['Services', 44],
        ]
      : [
          ['Image Name', 25],
          ['PID', 8, true],
          ['Session Name', 16],
          ['Session#', 11, true],
          ['Mem Usage', 12, true],
        ]
    const text = ruledTable(widths, rows)
    await print(call, headless ? text.split('\r\n').slice(3).join('\r\n') : text)
  }
  return 0
}

type Filter = (process: WinProcess, call: Call) => boolean

function parseFilter(text: string): Filter | undefined {
  const match = /^\s*(\w+)\s+(eq|ne|gt|lt|ge|le)\s+(.*?)\s*$/i.exec(text)
  if (!match) return undefined
  const [, field = '', operator = '', value = ''] = match
  const actual = (it: WinProcess): string | number | undefined => {
    switch (field.toUpperCase()) {
      case 'PID':
        return it.pid
      case 'IMAGENAME':
        return it.image.toLowerCase()
      case 'SESSION':
        return it.session
      case 'MEMUSAGE':
        return it.kb
      case 'STATUS':
        return 'running'
      default:
        return undefined
    }
  }
  return it => {
    const left = actual(it)
    if (left === undefined) return true
    const wanted = value.toLowerCase()
    const order =
      typeof left === 'number'
        ? left - Number(wanted)
        : wanted.endsWith('*')
          ? Number(!left.startsWith(wanted.slice(0, -1)))
          : Number(left !== wanted)
    return (
      { eq: order === 0, ne: order !== 0, gt: order > 0, lt: order < 0, ge: order >= 0, le: order <= 0 }[
        operator.toLowerCase() as 'eq'
      ] ?? false
    )
  }
}

/** taskkill.exe. See learn.microsoft.com/windows-server/administration/windows-commands/taskkill. */
export const taskkill: Program = async call => {
  const { processes } = call.system
  const args = call.args
  const flag = (name: string): boolean => args.some(it => it.toLowerCase() === `/${name}`)
  const images = optionValues(args, 'im').map(it => it.toLowerCase())
  const wanted: (WinProcess | string)[] = []
  for (const pid of optionValues(args, 'pid')) wanted.push(processes.get(Number(pid)) ?? pid)
  for (const image of images) {
    const found = processes.list().filter(it => it.image.toLowerCase() === image)
    if (found.length === 0) wanted.push(image)
    wanted.push(...found)
  }
  if (wanted.length === 0) {
    await complain(
      call,
      'ERROR: Invalid syntax. Neither /FI nor /PID nor /IM were specified.\r\nType "TASKKILL /?" for usage.\r\n',
    )
    return 1
  }
  let code = 0
  for (const target of wanted) {
    if (typeof target === 'string') {
      await complain(call, `ERROR: The process "${target}" not found.\r\n`)
      code = 128
      continue
    }
    const group = flag('t') ? processes.tree(target) : [target]
    for (const it of group) {
      const parent = flag('t') ? ` (child process of PID ${it.ppid})` : ''
      if (it.protected) {
        await complain(
          call,
          `ERROR: The process with PID ${it.pid}${parent} could not be terminated.\r\nReason: ${flag('f') ? 'Access is denied.' : 'This process can only be terminated forcefully (with /F option).'}\r\n`,
        )
        code = 1
        continue
      }
      if (!flag('f') && !flag('t') && it.image.toLowerCase() === 'cmd.exe') {
        await complain(
          call,
          `ERROR: The process with PID ${it.pid} could not be terminated.\r\nReason: This process can only be terminated forcefully (with /F option).\r\n`,
        )
        code = 1
        continue
      }
      it.terminate(1)
      const subject =
        images.includes(it.image.toLowerCase()) && !flag('t')
          ? `process "${it.image}" with PID ${it.pid}`
          : `process with PID ${it.pid}${parent}`
      await print(call, `SUCCESS: The ${subject} has been terminated.\r\n`)
    }
  }
  return code
}
