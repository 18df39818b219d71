import type { WindowsMachine } from '../../remote/index.js'
import { commandText } from '../../remote/shells/windows/catalog.js'
import { parseEvents, type WindowsEvent } from './event-xml.js'
import { unanswered } from './failure.js'
import { formatDmtf } from './values.js'
import { queryWmi, type WmiObject } from './wmi.js'

export type { WindowsEvent } from './event-xml.js'

/** Which events are wanted; all conditions must hold. */
export interface EventQuery {
  readonly ids?: readonly number[]
  /** 1 critical, 2 error, 3 warning, 4 information. */
  readonly levels?: readonly number[]
  readonly providers?: readonly string[]
  /** Only those with a record number above this. */
  readonly afterRecord?: number
  readonly since?: Date
  /** The newest so many; 100 if absent. */
  readonly count?: number
  readonly signal?: AbortSignal
}

const defaultCount = 100

/**
 * The newest events of a log first: from wevtutil where the guest has it (2008 and later), else from WMI. Throws
 * InfraError when the log could not be read; an empty list is an answer.
 */
export async function readEvents(
  machine: WindowsMachine,
  log: string,
  query: EventQuery = {},
): Promise<WindowsEvent[]> {
  return machine.look.tools.wevtutil ? byWevtutil(machine, log, query) : byWmi(machine, log, query)
}

async function byWevtutil(machine: WindowsMachine, log: string, query: EventQuery): Promise<WindowsEvent[]> {
  const line = commandText('wevtutil-query', {
    LOG: /^[\w-]+$/.test(log) ? log : `"${plainText(log)}"`,
    XPATH: xpathOf(query),
    COUNT: String(query.count ?? defaultCount),
  })
  const { exit, stdout, stderr } = await machine.run(
    line,
    query.signal === undefined ? {} : { signal: query.signal },
  )
  query.signal?.throwIfAborted()
  const events =
    exit.kind === 'code' && exit.code === 0 && !stdout.truncated ? parseEvents(stdout.text) : null
  if (events === null) {
    const how = exit.kind === 'code' ? `status ${exit.code}` : exit.kind
    throw unanswered(machine, `the log ${log} could not be read (${how}): ${stderr.text.trim()}`)
  }
  return events
}

/** The part of XPath that event queries know (https://learn.microsoft.com/en-us/windows/win32/wes/consuming-events). */
export function xpathOf({ ids, levels, providers, afterRecord, since }: EventQuery): string {
  const any = (conditions: readonly string[]): string =>
    conditions.length === 1 ? (conditions[0] ?? '') : `(${conditions.join(' or ')})`
  const conditions = [
    ...(ids === undefined ? [] : [any(ids.map(id => `EventID=${id}`))]),
    ...(levels === undefined ? [] : [any(levels.map(level => `Level=${level}`))]),
    ...(providers === undefined ? [] : [any(providers.map(name => `Provider[@Name='${plainText(name)}']`))]),
    ...(afterRecord === undefined ? [] : [`EventRecordID>${afterRecord}`]),
    ...(since === undefined ? [] : [`TimeCreated[@SystemTime>='${since.toISOString()}']`]),
  ]
  return conditions.length === 0 ? '*' : `*[System[${conditions.join(' and ')}]]`
}

function plainText(text: string): string {
  if (/['"%^&|<>\r\n]/.test(text)) {
    throw new TypeError(`"${text}" cannot stand in a query for events`)
  }
  return text
}

/** Levels of 2008 and later by the event types of before: 1 error, 2 warning, 3 information, 4 and 5 audit. */
const levelOfType: Readonly<Record<number, number>> = { 1: 2, 2: 3, 3: 4, 4: 4, 5: 4 }

async function byWmi(machine: WindowsMachine, log: string, query: EventQuery): Promise<WindowsEvent[]> {
  const types = query.levels?.flatMap(level =>
    Object.entries(levelOfType).flatMap(([type, is]) => (is === level ? [`EventType=${type}`] : [])),
  )
  const any = (conditions: readonly string[]): string => `(${conditions.join(' OR ')})`
  const conditions = [
    `Logfile='${plainText(log)}'`,
    ...(query.ids === undefined ? [] : [any(query.ids.map(id => `EventCode=${id}`))]),
    // Critical is a level that these versions do not have.
    ...(types === undefined ? [] : [types.length === 0 ? 'EventType=0' : any(types)]),
    ...(query.providers === undefined
      ? []
      : [any(query.providers.map(name => `SourceName='${plainText(name)}'`))]),
    ...(query.afterRecord === undefined ? [] : [`RecordNumber>${query.afterRecord}`]),
    ...(query.since === undefined ? [] : [`TimeGenerated>='${formatDmtf(query.since)}'`]),
  ]
  const objects = await queryWmi(machine, 'Win32_NTLogEvent', {
    get: [
      'EventCode',
      'EventType',
      'InsertionStrings',
      'Logfile',
      'RecordNumber',
      'SourceName',
      'TimeGenerated',
    ],
    where: conditions.join(' AND '),
    ...(query.signal === undefined ? {} : { signal: query.signal }),
  })
  return objects
    .map(object => eventOf(machine, object))
    .sort((a, b) => b.recordNumber - a.recordNumber)
    .slice(0, query.count ?? defaultCount)
}

function eventOf(machine: WindowsMachine, object: WmiObject): WindowsEvent {
  const { EventCode, EventType, InsertionStrings, Logfile, RecordNumber, SourceName, TimeGenerated } = object
  if (
    typeof EventCode !== 'number' ||
    typeof RecordNumber !== 'number' ||
    typeof SourceName !== 'string' ||
    !(TimeGenerated instanceof Date)
  ) {
    throw unanswered(machine, 'an event without its number, source or time')
  }
  return {
    log: typeof Logfile === 'string' ? Logfile : '',
    recordNumber: RecordNumber,
    id: EventCode,
    provider: SourceName,
    level: typeof EventType === 'number' ? (levelOfType[EventType] ?? 0) : 0,
    at: TimeGenerated,
    data: Array.isArray(InsertionStrings) ? InsertionStrings.map(String) : [],
  }
}
