import { join } from 'node:path'
import type { InstanceState, SeenCheck, TestState } from '../../journal/state.js'
import { cleanTerminal, cleanTerminalLine } from '../clean.js'
import type { Style } from './style.js'

const mostChecks = 10
const mostLines = 20
const mostErrorLines = 10
const widestLine = 300
const indent = '     '

/** What a failure's block shows beside the test itself. */
export interface Surroundings {
  readonly instances: readonly InstanceState[]
  readonly emulated: boolean
  /** The run's folder as people are shown it; evidence is found below it. */
  readonly folder: string
  readonly style: Style
}

/** One failure or error as a block of lines: what, why, what was seen, and where to look further. */
export function failureBlock(test: TestState, number: number, around: Surroundings): string {
  const { style } = around
  const { planned, verdict, reason, decisive } = test
  const marks = `${around.emulated ? ' (emulated)' : ''}${planned.level === 'optional' ? ' (optional)' : ''}`
  const title = `${number}) ${cleanTerminalLine(test.environment)}${style.arrow}${cleanTerminalLine(planned.id)}`
  const failed = (decisive?.checks ?? []).filter(check => check.state === 'not-ok')
  const lines = [
    `  ${style.bold(style.paint(verdict, title))}${style.dim(marks)}`,
    `${indent}${style.dim(cleanTerminalLine(planned.title, widestLine))}`,
    '',
    ...(saysReason(reason, failed)
      ? []
      : [`${indent}${style.paint(verdict, cleanTerminalLine(reason, widestLine) || verdict)}`]),
    ...failed.slice(0, mostChecks).flatMap(check => checkLines(check, style)),
  ]
  if (failed.length > mostChecks) {
    lines.push(`${indent}${style.dim(`and ${failed.length - mostChecks} more failed checks`)}`)
  }
  lines.push(...stderrLines(decisive?.stderr ?? '', style))
  lines.push('', `${indent}${style.dim(whereLine(test, around))}`)
  for (const { path } of (decisive?.evidence ?? []).slice(0, mostChecks)) {
    lines.push(`${indent}${style.dim(cleanTerminalLine(join(around.folder, path), widestLine))}`)
  }
  return `\n${lines.join('\n')}\n\n`
}

/** A reason that only repeats what its failed checks say is not said twice. */
function saysReason(reason: string, failed: readonly SeenCheck[]): boolean {
  const [first] = failed
  return first !== undefined && first.text !== '' && reason.includes(first.text)
}

function checkLines({ text, diagnostics }: SeenCheck, style: Style): string[] {
  const lines = [`${indent}${style.paint('fail', `not ok - ${cleanTerminalLine(text, widestLine)}`)}`]
  if (diagnostics === undefined) return lines
  const shown = cleanTerminal(diagnostics)
    .trimEnd()
    .split('\n')
    .filter(line => line.trim() !== '')
  for (const line of shown.slice(0, mostLines)) {
    lines.push(`${indent}  ${line.length > widestLine ? `${line.slice(0, widestLine - 1)}…` : line}`)
  }
  const more = shown.length - mostLines
  if (more > 0) lines.push(`${indent}  ${style.dim(`and ${more} more lines, in the journal`)}`)
  return lines
}

/** The end of standard error, where a script says what became of its commands. */
function stderrLines(stderr: string, style: Style): string[] {
  const shown = cleanTerminal(stderr)
    .split('\n')
    .filter(line => line.trim() !== '')
  if (shown.length === 0) return []
  const cut = shown.length > mostErrorLines ? ' (end)' : ''
  return [
    `${indent}${style.dim(`standard error${cut}:`)}`,
    ...shown.slice(-mostErrorLines).map(line => `${indent}  ${line.slice(0, widestLine)}`),
  ]
}

function whereLine(test: TestState, { instances, style }: Surroundings): string {
  const { cause, decisive, planned, attempts } = test
  const host = instances.find(({ id }) => id === decisive?.instance)?.host
  const parts = [`cause: ${cause ?? 'unknown'}`]
  if (decisive?.step != null) parts.push(`step: ${decisive.step}`)
  if (decisive?.instance != null) {
    parts.push(cleanTerminalLine(`${decisive.instance}${host === undefined ? '' : ` on ${host}`}`))
  }
  if (attempts.length > 1) parts.push(`${attempts.length} attempts`)
  parts.push(cleanTerminalLine(`${planned.manifest}:${planned.line}`))
  return parts.join(style.dot)
}
