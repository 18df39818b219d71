import { resolvePath } from '../store/files.js'
import { type Call, complain, type Program, print } from '../system/context.js'
import { longTime, shortDate } from '../system/time-zone.js'
import { decodeMarked } from '../text/code-pages.js'
import { csvLine, ruledTable } from '../text/tables.js'
import { runHostScript } from './host-script.js'

/** cscript.exe: runs eventquery.vbs of 2003, and on a host the script of guestcert; other scripts it has none. */
export const cscript: Program = async call => {
  const old = call.system.where.nt.startsWith('5')
  const engine = old ? '5.6' : '5.8'
  const banner = `Microsoft (R) Windows Script Host Version ${engine}\r\nCopyright (C) Microsoft Corporation${old ? ' 1996-2001' : ''}. All rights reserved.\r\n\r\n`
  const options = call.args.filter(it => it.startsWith('//'))
  const [script, ...rest] = call.args.filter(it => !it.startsWith('//'))
  if (!options.some(it => it.toLowerCase() === '//nologo')) await print(call, banner)
  if (script === undefined) return 0
  const folder = `${call.system.persona.os.systemRoot}\\System32`
  const path = [resolvePath(call.cwd, script), `${folder}\\${script}`].find(
    it => call.system.files.find(it)?.type === 'file',
  )
  if (path === undefined) {
    await complain(call, `Input Error: Can not find script file "${resolvePath(call.cwd, script)}".\r\n`)
    return 1
  }
  if (/\\eventquery\.vbs$/i.test(path)) return eventQuery(call, rest)
  const node = call.system.files.find(path)
  const text = node?.type === 'file' ? decodeMarked(node.data, 1252).replaceAll('\r\n', '\n') : ''
  if (options.some(it => /^\/\/E:JScript$/i.test(it)) && call.system.hostTexts?.script?.knows(text)) {
    return runHostScript(call, rest)
  }
  await complain(call, `${path}(1, 1) Microsoft VBScript compilation error: Expected statement\r\n\r\n`)
  return 1
}

/** eventquery.vbs of 2003: `/l`, `/fi`, `/fo`, `/r`, `/v`. See learn.microsoft.com, "Eventquery.vbs" (cc772995). */
async function eventQuery(call: Call, args: readonly string[]): Promise<number> {
  const { events, zone } = call.system
  const value = (name: string): string | undefined => {
    const at = args.findIndex(it => it.toLowerCase() === `/${name}`)
    return at < 0 ? undefined : args[at + 1]
  }
  const flag = (name: string): boolean => args.some(it => it.toLowerCase() === `/${name}`)
  const logs = value('l') === undefined ? events.names() : [value('l') ?? '']
  const filters = args.flatMap((it, index) => (it.toLowerCase() === '/fi' ? [args[index + 1] ?? ''] : []))
  const range = value('r')
  let printed = ''
  for (const log of logs) {
    const records = events.read(log)
    if (!records) {
      await complain(call, `ERROR: Unable to get the number of records of log '${log}'.\r\n`)
      return 1
    }
    let shown = [...records]
      .reverse()
      .filter(event =>
        filters.every(filter =>
          fitsFilter(
            filter,
            event.id,
            event.level,
            event.source,
            event.timeMs,
            zone.offsetMinutes(event.timeMs),
          ),
        ),
      )
    if (range !== undefined && /^-?\d+$/.test(range))
      shown = Number(range) >= 0 ? shown.slice(0, Number(range)) : shown.slice(Number(range))
    const heads = flag('v')
      ? ['Type', 'Event', 'Date Time', 'Source', 'ComputerName', 'Category', 'User', 'Description']
      : ['Type', 'Event', 'Date Time', 'Source', 'ComputerName']
    const rows = shown.map(event => {
      const t = zone.local(event.timeMs)
      const base = [
        event.level === 'Critical' ? 'Error' : event.level,
        String(event.id),
        `${shortDate(t)} ${longTime(t)}`,
        event.source,
        event.computer,
      ]
      return flag('v') ? [...base, 'None', event.user ?? 'N/A', event.text.replace(/\s+/g, ' ')] : base
    })
    const format = value('fo')?.toLowerCase() ?? 'table'
    if (rows.length === 0)
      printed += `INFO: No records available for the '${log}' log with the specified criteria.\r\n`
    else if (format === 'csv') printed += `${flag('nh') ? '' : csvLine(heads)}${rows.map(csvLine).join('')}`
    else if (format === 'list')
      printed += rows
        .map(
          row =>
            `\r\n${row.map((cell, index) => `${`${heads[index] ?? ''}:`.padEnd(14)}${cell}\r\n`).join('')}`,
        )
        .join('')
    else
      printed += `\r\n${'-'.repeat(78)}\r\nListing the events in '${log.toLowerCase()}' log of host '${call.system.computerName}'\r\n${'-'.repeat(78)}${ruledTable(
        heads.map((head, index) => [head, [13, 6, 24, 17, 14, 15, 20, 76][index] ?? 15] as const),
        rows,
      )}`
  }
  await print(call, printed)
  return 0
}

function fitsFilter(
  filter: string,
  id: number,
  level: string,
  source: string,
  timeMs: number,
  offset: number,
): boolean {
  const match = /^\s*(\w+)\s+(eq|ne|gt|lt|ge|le)\s+(.*?)\s*$/i.exec(filter)
  if (!match) return true
  const [, field = '', operator = '', wanted = ''] = match
  const order = ((): number => {
    switch (field.toUpperCase()) {
      case 'ID':
        return id - Number(wanted)
      case 'TYPE':
        return level.toLowerCase() === wanted.toLowerCase() ? 0 : 1
      case 'SOURCE':
        return source.toLowerCase() === wanted.toLowerCase() ? 0 : 1
      case 'DATETIME': {
        const parts = /^(\d+)\/(\d+)\/(\d+),(\d+):(\d+):(\d+)(AM|PM)$/i.exec(wanted)
        if (!parts) return 0
        const [, month, day, year = '0', hour, minute, second, half] = parts
        const hours = (Number(hour) % 12) + (half?.toUpperCase() === 'PM' ? 12 : 0)
        return (
          timeMs -
          (Date.UTC(
            2000 + (Number(year) % 100),
            Number(month) - 1,
            Number(day),
            hours,
            Number(minute),
            Number(second),
          ) -
            offset * 60_000)
        )
      }
      default:
        return 0
    }
  })()
  return (
    { eq: order === 0, ne: order !== 0, gt: order > 0, lt: order < 0, ge: order >= 0, le: order <= 0 }[
      operator.toLowerCase() as 'eq'
    ] ?? false
  )
}
