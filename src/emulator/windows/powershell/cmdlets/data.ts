import { createHash } from 'node:crypto'
import { resolvePath } from '../../store/files.js'
import { cast } from '../convert.js'
import { dayOfWeek, formatDate } from '../dates.js'
import { cell } from '../format.js'
import { fromJson, toJson } from '../json.js'
import { propertiesOf } from '../properties.js'
import { textOf, typeNameOf } from '../text.js'
import { collapse, itemsOf, NetObject, PsDate, PsObject, type Value } from '../values.js'
import { type Cmdlet, type CmdletCall, wholeOf } from './cmdlet.js'

const escapeXml = (text: string): string =>
  text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;').replace(/"/g, '&quot;')

function csvRows(call: CmdletCall): string[] {
  const items = call.piped ? call.input : call.list('InputObject')
  const first = items[0] ?? null
  const names = propertiesOf(first).map(it => it.name)
  const delimiter = call.text('Delimiter') ?? ','
  const line = (cells: readonly string[]): string =>
    cells.map(it => `"${it.replaceAll('"', '""')}"`).join(delimiter)
  const head = call.flag('NoTypeInformation')
    ? []
    : [
        `#TYPE ${first instanceof PsObject && /PSCustomObject/.test(first.typeName) ? 'System.Management.Automation.PSCustomObject' : typeNameOf(first)}`,
      ]
  return [
    ...head,
    line(names),
    ...items.map(it => line(names.map(name => textOf(call.shell.member(it, name, call))))),
  ]
}

/** Cmdlets that turn values into other forms. */
export const dataCmdlets: readonly Cmdlet[] = [
  {
    name: 'ConvertTo-Json',
    since: 3,
    parameters: 'InputObject Depth= Compress?',
    run: async call => {
      const value = call.piped ? collapse(call.input) : call.value('InputObject')
      await call.emit(toJson(value, wholeOf(call.value('Depth')) ?? 2, call.flag('Compress')))
    },
  },
  {
    name: 'ConvertFrom-Json',
    since: 3,
    parameters: 'InputObject',
    run: async call => {
      await call.emit(
        fromJson(call.piped ? call.input.map(it => textOf(it)).join('\n') : (call.text('InputObject') ?? '')),
      )
    },
  },
  {
    name: 'ConvertTo-Csv',
    parameters: 'InputObject Delimiter NoTypeInformation? UseCulture?',
    run: async call => {
      for (const row of csvRows(call)) await call.emit(row)
    },
  },
  {
    name: 'ConvertTo-Xml',
    parameters: 'InputObject Depth= As= NoTypeInformation?',
    run: async call => {
      const items = call.piped ? call.input : call.list('InputObject')
      const body = items
        .map(
          it =>
            `<Object>${propertiesOf(it)
              .map(one => `<Property Name="${escapeXml(one.name)}">${escapeXml(cell(one.value))}</Property>`)
              .join('')}</Object>`,
        )
        .join('')
      const xml = `<?xml version="1.0"?><Objects>${body}</Objects>`
      if (/string/i.test(call.text('As') ?? '')) return call.emit(xml) as Promise<void>
      await call.emit(
        new NetObject('System.Xml.XmlDocument', {
          get: { outerxml: () => xml, innerxml: () => xml },
          text: () => 'System.Xml.XmlDocument',
        }),
      )
    },
  },
  {
    name: 'Get-Date',
    parameters: 'Date Format= UFormat= DisplayHint= Year= Month= Day= Hour= Minute= Second=',
    run: async call => {
      const ms = call.shell.call.system.clock.wallMs()
      const given = call.value('Date')
      const date =
        given === null
          ? new PsDate(ms, 'Local', call.shell.offsetMinutes(ms))
          : cast(given, 'datetime', it => call.shell.offsetMinutes(it))
      const format = call.text('Format')
      if (date instanceof PsDate && format !== undefined)
        return call.emit(formatDate(date, format)) as Promise<void>
      if (date instanceof PsDate && call.text('UFormat') === '%s')
        return call.emit(String((date.ms + date.offset * 60_000) / 1000)) as Promise<void>
      if (date instanceof PsDate && call.text('UFormat') === '%A')
        return call.emit(dayOfWeek(date)) as Promise<void>
      await call.emit(date)
    },
  },
  {
    name: 'Get-FileHash',
    since: 4,
    parameters: 'Path Algorithm= LiteralPath=',
    run: async call => {
      const path = resolvePath(call.shell.call.cwd, call.text('Path') ?? call.text('LiteralPath') ?? '')
      const algorithm = (call.text('Algorithm') ?? 'SHA256').toUpperCase()
      const hash = createHash(algorithm.toLowerCase())
        .update(call.shell.call.system.files.file(path).data)
        .digest('hex')
        .toUpperCase()
      await call.emit(
        new PsObject('Microsoft.Powershell.Utility.FileHash', [
          ['Algorithm', algorithm],
          ['Hash', hash],
          ['Path', path],
        ]),
      )
    },
  },
  {
    name: 'Get-Random',
    parameters: 'Maximum Minimum= InputObject= Count= SetSeed=',
    run: async call => {
      const [low, high] = [wholeOf(call.value('Minimum')) ?? 0, wholeOf(call.value('Maximum')) ?? 0x7fff_ffff]
      const items = call.piped ? call.input : itemsOf(call.value('InputObject'))
      if (call.piped || call.value('InputObject') !== null)
        await call.emit(items[Math.floor(Math.random() * items.length)] ?? null)
      else await call.emit(low + Math.floor(Math.random() * (high - low)))
    },
  },
  {
    name: 'Get-Command',
    parameters: 'Name CommandType= Module= Syntax? All?',
    run: async call => {
      for (const wanted of call.list('Name')) {
        const name = call.shell.cmdletNamed(textOf(wanted))
        if (name !== undefined)
          await call.emit(
            new PsObject('System.Management.Automation.CmdletInfo', [
              ['CommandType', 'Cmdlet'],
              ['Name', name],
              ['Version', ''],
              ['Source', ''],
            ]),
          )
        else
          await call.trouble({
            message: `The term '${textOf(wanted)}' is not recognized as the name of a cmdlet, function, script file, or operable program. Check the spelling of the name, or if a path was included, verify that the path is correct and try again.`,
            type: 'System.Management.Automation.CommandNotFoundException',
            id: 'CommandNotFoundException',
            category: 'ObjectNotFound',
            target: textOf(wanted),
          })
      }
    },
  },
  {
    name: 'Join-Path',
    parameters: 'Path ChildPath',
    run: async call => {
      await call.emit(
        `${(call.text('Path') ?? '').replace(/\\$/, '')}\\${(call.text('ChildPath') ?? '').replace(/^\\/, '')}`,
      )
    },
  },
  {
    name: 'Split-Path',
    parameters: 'Path Parent? Leaf? Qualifier?',
    run: async call => {
      const path: string = call.text('Path') ?? ''
      const value: Value = call.flag('Leaf')
        ? (path.split('\\').at(-1) ?? '')
        : call.flag('Qualifier')
          ? path.slice(0, 2)
          : path.replace(/\\[^\\]*$/, '')
      await call.emit(value)
    },
  },
]
