import { formatMeasured } from '../../config/units.js'
import type { Evidence, Exit } from '../../journal/events.js'
import { journalFile } from '../../journal/reader.js'
import type { AttemptState, EnvironmentState, SeenCheck, TestState } from '../../journal/state.js'
import { cleanXml, cleanXmlLine, tailOf } from '../clean.js'
import { type AttachmentNames, mostUsefulFirst } from './attachments.js'

const longestMessage = 250
const longestLine = 2000
const passedBytes = 4 * 1024
const failedBytes = 64 * 1024
const mostEvidence = 50

/** The first line of a reason, as an attribute. */
export function messageOf({ verdict, reason }: Pick<AttemptState, 'verdict' | 'reason'>): string {
  const message = cleanXmlLine(reason.split('\n')[0] ?? '', longestMessage)
  return message === '' ? verdict : message
}

/** Everything that a reader who sees only an element's text needs: message, place, failed checks. */
export function detailsOf(test: TestState, attempt: AttemptState | null, instance: string): string {
  const { planned } = test
  const { verdict, cause, reason } = attempt ?? test
  const step = attempt?.step ?? null
  const head = [
    cleanXmlLine(reason, longestLine) || verdict,
    `${planned.manifest}:${planned.line}: ${planned.id}: ${planned.title}`,
    `${verdict}${cause === null ? '' : `, cause: ${cause}`}${step === null ? '' : `, step: ${step}`}${instance === '' ? '' : `, ${instance}`}`,
  ]
  const failed = (attempt?.checks ?? []).filter(check => check.state === 'not-ok')
  return bounded([...head.map(line => cleanXml(line)), ...failed.map(checkLine)].join('\n'), failedBytes)
}

/** What a case shows of its last attempt: its checks as TAP would say them, and where the evidence is. */
export function outputOf(attempt: AttemptState, attachments: AttachmentNames): string {
  const lines = attempt.checks.map(checkLine)
  if (attempt.exit !== null) lines.push(`# ${exitText(attempt.exit)}`)
  for (const [name, { value, unit }] of Object.entries(attempt.measures)) {
    lines.push(cleanXml(`# measured ${name}: ${formatMeasured(value)} ${unit}`))
  }
  const excerpt = bounded(lines.join('\n'), attempt.verdict === 'pass' ? passedBytes : failedBytes)
  const files = mostUsefulFirst(attempt.evidence).slice(0, mostEvidence)
  const evidence = files.flatMap(file => evidenceLines(file, attachments))
  const left = attempt.evidence.length - mostEvidence
  if (left > 0) evidence.push(`# and ${left} more, listed in ${journalFile}`)
  return [excerpt, ...evidence].filter(line => line !== '').join('\n')
}

/** The end of what an attempt that did not pass wrote to standard error. */
export function errorOutputOf({ stderr }: AttemptState): string {
  return bounded(cleanXml(stderr).trimEnd(), failedBytes)
}

/** `instance i1 on host kvm-1`, or nothing when there was none. */
export function instanceText(environment: EnvironmentState, instance: string | null): string {
  if (instance === null) return ''
  const host = environment.instances.find(known => known.id === instance)?.host
  return `instance ${instance}${host === undefined ? '' : ` on host ${host}`}`
}

/** How a command ended, in words. */
export function exitText(exit: Exit): string {
  switch (exit.kind) {
    case 'code':
      return `exit status ${exit.code}`
    case 'signal':
      return cleanXmlLine(`ended by signal ${exit.signal}`, longestMessage)
    case 'lost':
      return 'no exit status received'
    case 'unproven':
      return cleanXmlLine(`no proven end: ${exit.why}`, longestMessage)
    case 'limit':
      return `stopped at the limit '${exit.limit}' (${exit.limitMs} ms)`
  }
}

function checkLine({ state, text, diagnostics }: SeenCheck): string {
  const words = { ok: 'ok', 'not-ok': 'not ok', todo: 'not ok # TODO', skip: 'ok # SKIP' }
  // A check's own text stays on its line, so that no text can pass for another check.
  const line = `${words[state]} - ${cleanXmlLine(text, longestLine)}`
  if (diagnostics === undefined || diagnostics.trim() === '') return cleanXml(line)
  const indented = cleanXml(diagnostics).trimEnd().replaceAll('\n', '\n    ')
  return `${cleanXml(line)}\n    ${indented}`
}

function evidenceLines({ path, bytes, cutBytes }: Evidence, attachments: AttachmentNames): string[] {
  const clean = cleanXmlLine(path, longestLine)
  const cut = cutBytes === undefined ? '' : `, ${cutBytes} cut`
  const lines = [cleanXml(`# evidence: ${clean} (${bytes} bytes${cut})`)]
  const attached = attachments.pathFor(clean)
  if (attached !== null) lines.push(`[[ATTACHMENT|${attached}]]`)
  return lines
}

/** Keeps the end, where what went wrong stands, and says what is missing. */
function bounded(text: string, mostBytes: number): string {
  const { text: end, cutBytes } = tailOf(text, mostBytes)
  return cutBytes === 0 ? end : `[${cutBytes} bytes cut; the whole is in ${journalFile}]\n${end}`
}
