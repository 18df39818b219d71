import { appendFile, stat } from 'node:fs/promises'
import type { RunState, TestState } from '../../journal/state.js'
import { cleanXmlLine } from '../clean.js'
import { type Finding, findingsOf } from '../findings.js'
import { markdownOf } from '../markdown/markdown.js'
import type { ReportContext } from '../output.js'
import { unwritten } from '../replace-file.js'

/** GitHub shows ten annotations of each level a step, and drops the others without a word. */
const mostAnnotations = 10
const longestMessage = 1000
/** Of the summaries of one step together: GitHub refuses a larger file as a whole. */
const summaryBytes = 1024 * 1024

/**
 * Annotations on standard output, and the summary in the file that `GITHUB_STEP_SUMMARY` names: see GitHub's "Workflow
 * commands". What has no room as an annotation stands in the summary.
 *
 * @throws InternalError when the summary cannot be written.
 */
export async function writeGithub({
  state,
  exitCode,
  env,
  print,
}: ReportContext): Promise<readonly string[]> {
  for (const line of annotationsOf(state)) print(`${line}\n`)
  const path = env.GITHUB_STEP_SUMMARY
  if (path === undefined || path === '') return []
  try {
    const taken = await stat(path).then(
      ({ size }) => size,
      () => 0,
    )
    await appendFile(path, markdownOf(state, { exitCode, mostBytes: summaryBytes - taken }))
  } catch (error) {
    throw unwritten(path, error)
  }
  return [path]
}

/** Workflow commands for what failed or was not carried out, and for what is flaky: one a cause. */
export function annotationsOf(state: RunState): readonly string[] {
  const findings = findingsOf(state)
  const errors = findings.filter(({ kind, tests }) => isWrong(kind) && tests.some(isRequired))
  const warnings = findings.filter(
    ({ kind, tests }) => kind === 'flaky' || (isWrong(kind) && !tests.some(isRequired)),
  )
  return [
    ...errors.slice(0, mostAnnotations).map(finding => annotation('error', finding)),
    ...warnings.slice(0, mostAnnotations).map(finding => annotation('warning', finding)),
  ]
}

function isWrong(kind: Finding['kind']): boolean {
  return kind !== 'skip' && kind !== 'flaky'
}

function isRequired({ planned }: TestState): boolean {
  return planned.level === 'required'
}

function annotation(level: 'error' | 'warning', { kind, reason, tests }: Finding): string {
  const [first] = tests
  const others = tests.length === 1 ? '' : ` and ${tests.length - 1} more`
  const title = `${kind}: ${first?.planned.id ?? ''} in ${first?.environment ?? ''}${others}`
  const properties = {
    file: first?.planned.manifest ?? '',
    line: String(first?.planned.line ?? 1),
    title: cleanXmlLine(title, 200),
  }
  const values = Object.entries(properties).map(([name, value]) => `${name}=${escapedProperty(value)}`)
  return `::${level} ${values.join(',')}::${escaped(cleanXmlLine(reason, longestMessage) || kind)}`
}

function escaped(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A')
}

function escapedProperty(text: string): string {
  return escaped(text).replaceAll(':', '%3A').replaceAll(',', '%2C')
}
