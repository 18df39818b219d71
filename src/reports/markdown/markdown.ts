import { formatDuration } from '../../config/units.js'
import { exitMeanings, meaningOf } from '../../journal/exit.js'
import type { EnvironmentState, RunState, TestState } from '../../journal/state.js'
import { cleanXmlLine } from '../clean.js'
import {
  countWords,
  type Finding,
  findingOrder,
  findingsOf,
  findingTitles,
  leftOutWords,
  slowestOf,
} from '../findings.js'

/** What a summary shows beside the state. */
export interface MarkdownOptions {
  readonly exitCode: number
  /** In bytes; where it would be longer, what matters least is left out. Unbounded if absent. */
  readonly mostBytes?: number
}

const mostNamed = 10
const mostSlow = 5
const longestText = 300

/** A run's result in Markdown: the counts, what is wrong and where, each cause once, and every environment. */
export function markdownOf(state: RunState, { exitCode, mostBytes }: MarkdownOptions): string {
  const findings = findingsOf(state)
  const blocks = [
    [head(state, exitCode)],
    ...findingOrder.map(kind => findingBlock(kind, findings)),
    [environmentTable(state.environments)],
    slowBlock(slowestOf(state, mostSlow)),
  ].filter(block => block.length > 0)
  return fitted(blocks, mostBytes ?? Number.POSITIVE_INFINITY)
}

function head(state: RunState, exitCode: number): string {
  const emulated = state.environments.filter(({ planned }) => planned.emulated).length
  const name = exitMeanings.find(({ code }) => code === exitCode)?.name ?? 'unknown'
  const total = state.environments.reduce((sum, { tests }) => sum + tests.length, 0)
  const counts = countWords(state).map(([, text]) => text)
  const leftOut = leftOutWords(state)
  return [
    `# guestcert: ${name}`,
    '',
    `${text(meaningOf(exitCode))} Exit code ${exitCode}.`,
    '',
    `**${total} tests**: ${counts.join(', ') || 'none'}. ${state.environments.length} environments, ${formatDuration(state.durationMs)}.`,
    '',
    `Lab ${code(state.lab)}, run ${code(state.run ?? 'unknown')}, plan ${code(state.planDigest.slice(0, 12))}${labelText(state)}`,
    ...(emulated === 0
      ? []
      : [
          '',
          `**${emulated} of ${state.environments.length} environments are EMULATED: they certify nothing.**`,
        ]),
    ...(leftOut === null ? [] : ['', `**${leftOut}**`]),
    '',
  ].join('\n')
}

function labelText({ labels }: RunState): string {
  return Object.entries(labels)
    .map(([name, value]) => `, ${text(name)} ${code(value)}`)
    .join('')
}

/** A heading, and an item for each cause. */
function findingBlock(kind: Finding['kind'], findings: readonly Finding[]): string[] {
  const own = findings.filter(finding => finding.kind === kind)
  const total = own.reduce((sum, { tests }) => sum + tests.length, 0)
  return total === 0 ? [] : [`## ${findingTitles[kind]} (${total})\n`, ...own.map(item), '']
}

function item({ reason, tests }: Finding): string {
  const names = tests.slice(0, mostNamed).map(test => `  - ${testName(test)}`)
  if (tests.length > mostNamed) names.push(`  - and ${tests.length - mostNamed} more`)
  return `- ${text(reason) || 'no reason given'}\n${names.join('\n')}`
}

function testName({ environment, planned, cause }: TestState): string {
  const optional = planned.level === 'optional' ? ' (optional)' : ''
  return `${code(planned.id)} in ${code(environment)}${optional}${cause === null ? '' : `, cause: ${cause}`}`
}

function environmentTable(environments: readonly EnvironmentState[]): string {
  const rows = environments.map(({ planned, counts, durationMs }) => {
    const mark = planned.emulated ? ' (EMULATED)' : ''
    const others = counts.skip + counts.blocked + counts['not-run']
    return `| ${cell(planned.id)}${mark} | ${counts.pass} | ${counts.fail} | ${counts.error} | ${others} | ${formatDuration(durationMs)} |`
  })
  return [
    '## Environments\n',
    '| environment | passed | failed | errors | skipped, blocked, not run | time |',
    '|---|--:|--:|--:|--:|--:|',
    ...rows,
    '',
  ].join('\n')
}

function slowBlock(tests: readonly TestState[]): string[] {
  if (tests.length === 0) return []
  const lines = tests.map(
    test =>
      `- ${formatDuration(test.decisive?.durationMs ?? 0)}: ${code(test.planned.id)} in ${code(test.environment)}`,
  )
  return ['## Slowest\n', ...lines, '']
}

/** Blocks in order, as far as they fit; the first one always. */
function fitted(blocks: readonly (readonly string[])[], mostBytes: number): string {
  const end = '\nMore is in the reports of the run: this summary was cut to its limit.\n'
  const lines: string[] = []
  let left = mostBytes - Buffer.byteLength(end)
  for (const [index, line] of blocks.flat().entries()) {
    left -= Buffer.byteLength(line) + 1
    if (left < 0 && index > 0) return `${lines.join('\n')}\n${end}`
    lines.push(line)
  }
  return `${lines.join('\n').trimEnd()}\n`
}

/** Text of a guest, as text: neither markup nor HTML, and mentioning nobody. */
function text(from: string): string {
  return cleanXmlLine(from, longestText)
    .replace(/[\\`*_{}[\]<>#|~]/g, '\\$&')
    .replaceAll('@', '@\u200b')
}

/** Text of a guest as code: no back-tick ends it early. */
function code(from: string): string {
  const clean = cleanXmlLine(from, longestText)
  return clean.includes('`') ? `\`\` ${clean.replaceAll('``', '` `')} \`\`` : `\`${clean}\``
}

/** Code in a table, where a bar would end its cell. */
function cell(from: string): string {
  return code(from).replaceAll('|', '\\|')
}
