import type { WindowsPersona } from '../persona/schema.js'
import type { EventLogs } from '../store/events.js'
import { type Circumstances, holds } from './nt.js'

/** Makes what writes events down: by the name of an occasion, in the words of the persona's version. */
export function eventWriter(
  persona: WindowsPersona,
  where: Circumstances,
  events: EventLogs,
  computer: string,
  nowMs: () => number,
  used: Set<string>,
): (occasion: string, inserts?: readonly string[], atMs?: number) => void {
  return (occasion, inserts = [], atMs = nowMs()) => {
    const found = Object.entries(persona.eventTexts).find(
      ([name, text]) => (name === occasion || name.startsWith(`${occasion}@`)) && holds(text, where),
    )
    if (!found) return
    const [name, fact] = found
    used.add(`eventTexts ${name}`)
    events.add({
      log: fact.log,
      source: fact.source,
      id: fact.id,
      level: fact.level,
      timeMs: atMs,
      text: fact.text
        .replace(/%(\d)/g, (_, digit: string) => inserts[Number(digit) - 1] ?? '')
        .replace(/\n/g, '\r\n')
        .trimEnd(),
      inserts,
      computer,
      user: undefined,
      guid: fact.guid,
      category: fact.category ?? 0,
      keywords: fact.keywords ?? '0x80000000000000',
      pid: 4,
    })
  }
}
