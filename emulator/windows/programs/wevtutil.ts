import { type EventRecord, levelNumbers } from '../store/events.js'
import { type Call, complain, type Program, print } from '../system/context.js'
import { fitsXPath, readXPath } from './xpath.js'

const escapeXml = (text: string): string =>
  text
    .replace(/&/g, '&amp;')
    .replace(/</g, '&lt;')
    .replace(/>/g, '&gt;')
    .replace(/'/g, '&apos;')
    .replace(/"/g, '&quot;')

/** An event as XML, in the schema of learn.microsoft.com/windows/win32/wes/eventschema-event-element. */
export function eventXml(event: EventRecord, computer: string): string {
  const time = `${new Date(event.timeMs).toISOString().slice(0, -1)}000000Z`
  const classic = event.guid === undefined
  const provider = classic
    ? `Name='${escapeXml(event.source)}'`
    : `Name='${escapeXml(event.source)}' Guid='${event.guid}'`
  const id = classic
    ? `<EventID Qualifiers='32768'>${event.id}</EventID>`
    : `<EventID>${event.id}</EventID><Version>0</Version>`
  const data =
    event.inserts.length === 0
      ? '<EventData></EventData>'
      : `<EventData>${event.inserts.map(it => `<Data>${escapeXml(it)}</Data>`).join('')}</EventData>`
  return (
    `<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System><Provider ${provider}/>${id}` +
    `<Level>${levelNumbers[event.level]}</Level><Task>${event.category}</Task>${classic ? '' : '<Opcode>0</Opcode>'}<Keywords>${event.keywords}</Keywords>` +
    `<TimeCreated SystemTime='${time}'/><EventRecordID>${event.record}</EventRecordID>` +
    `${classic ? '' : `<Correlation/><Execution ProcessID='${event.pid}' ThreadID='8'/>`}<Channel>${event.log}</Channel><Computer>${escapeXml(computer)}</Computer><Security/></System>${data}</Event>`
  )
}

/** wevtutil.exe: query-events, enum-logs, get-log-info, clear-log. */
export const wevtutil: Program = async call => {
  const [verb = '', ...rest] = call.args
  switch (verb.toLowerCase()) {
    case 'qe':
    case 'query-events':
      return query(call, rest)
    case 'el':
    case 'enum-logs':
      await print(
        call,
        call.system.events
          .names()
          .map(name => `${name}\r\n`)
          .join(''),
      )
      return 0
    case 'gli':
    case 'get-log-info': {
      const events = call.system.events.read(rest[0] ?? '')
      if (!events) return noChannel(call)
      await print(
        call,
        `creationTime: 2023-01-10T09:12:44.000Z\r\nnumberOfLogRecords: ${events.length}\r\noldestRecordNumber: ${events[0]?.record ?? 0}\r\n`,
      )
      return 0
    }
    case 'cl':
    case 'clear-log':
      if (!call.system.events.read(rest[0] ?? '')) return noChannel(call)
      call.system.events.clear(rest[0] ?? '')
      return 0
    default:
      await complain(call, `Invalid command: ${verb}. Run 'wevtutil /?' for usage.\r\n`)
      return 87
  }
}

async function noChannel(call: Call): Promise<number> {
  await complain(call, 'The specified channel could not be found.\r\n')
  return 15007
}

async function query(call: Call, args: readonly string[]): Promise<number> {
  const { events, computerName, used } = call.system
  const log = args.find(it => !it.startsWith('/')) ?? ''
  const value = (...names: string[]): string | undefined =>
    args
      .map(it => /^\/([a-z]+):([\s\S]*)$/i.exec(it))
      .find(it => names.includes(it?.[1]?.toLowerCase() ?? ''))?.[2]
  const records = events.read(log)
  if (!records) return noChannel(call)
  used.add('eventTexts')
  const text = value('q', 'query') ?? '*'
  const xpath = readXPath(text)
  if (!xpath) {
    await complain(call, 'Failed to open event query.\r\nThe specified query is invalid.\r\n')
    return 15001
  }
  let found = records.filter(it => fitsXPath(xpath, it))
  if (/^true$/i.test(value('rd', 'reversedirection') ?? '')) found = [...found].reverse()
  const count = value('c', 'count')
  if (count !== undefined) found = found.slice(0, Number(count))
  const format = value('f', 'format') ?? 'xml'
  const root = value('e', 'element')
  const body = found
    .map((it, index) =>
      format.toLowerCase() === 'text' ? eventText(call, it, index) : `${eventXml(it, computerName)}\r\n`,
    )
    .join('')
  await print(call, root === undefined ? body : `<${root}>\r\n${body}</${root}>`)
  return 0
}

function eventText({ system }: Call, event: EventRecord, index: number): string {
  const t = system.zone.local(event.timeMs)
  const two = (value: number): string => String(value).padStart(2, '0')
  const date = `${t.year}-${two(t.month)}-${two(t.day)}T${two(t.hour)}:${two(t.minute)}:${two(t.second)}.${String(t.ms).padStart(3, '0')}`
  return `Event[${index}]:\r\n  Log Name: ${event.log}\r\n  Source: ${event.source}\r\n  Date: ${date}\r\n  Event ID: ${event.id}\r\n  Task: N/A\r\n  Level: ${event.level}\r\n  Opcode: N/A\r\n  Keyword: Classic\r\n  User: N/A\r\n  User Name: N/A\r\n  Computer: ${system.computerName}\r\n  Description: \r\n${event.text}\r\n\r\n`
}
