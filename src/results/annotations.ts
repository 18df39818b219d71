import { bounds, cutText, type Document } from './document.js'

const measurePattern =
  /^# measure: ([A-Za-z][\w.-]{0,63})=(-?\d{1,18}(?:\.\d{1,18})?(?:[eE][+-]?\d{1,2})?) (\S{1,16})$/
const factPattern = /^# fact: ([A-Za-z][\w.-]{0,63})=(.*)$/

/**
 * Reads what a comment line says beside the checks: `# measure: NAME=VALUE UNIT` and `# fact: NAME=TEXT`,
 * as `suites/lib/tap.sh` prints them. Any other comment is left alone.
 */
export function annotate(document: Document, comment: string): void {
  const line = comment.trimEnd()
  const measure = measurePattern.exec(line)
  if (measure) {
    const [, name = '', value = '', unit = ''] = measure
    if (hasRoom(document.measures, name)) document.measures[name] = { value: Number(value), unit }
    return
  }
  const [, name = '', text = ''] = factPattern.exec(line) ?? []
  if (name !== '' && hasRoom(document.facts, name)) document.facts[name] = cutText(text, bounds.text)
}

function hasRoom(record: Readonly<Record<string, unknown>>, name: string): boolean {
  return name in record || Object.keys(record).length < bounds.facts
}
