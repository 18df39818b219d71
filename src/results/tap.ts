import { Parser, type Result } from 'tap-parser'
import { annotate } from './annotations.js'
import { DiagnosticBlocks } from './diagnostics.js'
import { escapeText, findDelimiter, readDirective } from './directive.js'
import {
  addFault,
  bounds,
  cutText,
  type Document,
  emptyDocument,
  looksLikeTap,
  type Plan,
  type Point,
} from './document.js'
import { foldDocument } from './fold.js'
import type { Ended, Folded } from './folded.js'
import { splitLines } from './lines.js'

/** Folds the output of a TAP 13 or 14 script; see {@link foldDocument} for the rules. Never throws. */
export function foldTap(ended: Ended): Folded {
  return foldDocument(parseTap(ended.stdout), ended, { by: 'tap', subtestsNeedPlan: true, skipCodes: [0] })
}

/**
 * Reads TAP 13 and 14 into a document, using `tap-parser` for its grammar and none of its verdicts (it finds
 * empty input ok). What it would pass over in silence is noted as a fault. Never throws.
 */
export function parseTap(output: Buffer | string): Document {
  const { lines, cut, faults } = splitLines(output)
  const document = emptyDocument()
  for (const fault of faults) addFault(document, fault)
  const blocks = new DiagnosticBlocks(lines)
  const parser = new Parser()
  const reading = { points: 0 }
  follow(parser, document, blocks, reading)
  parser.on('extra', (text: string) => noteStray(text, document))
  parser.on('bailout', (reason: string | undefined) => {
    document.bailout ??= cutText(reason?.trim() ?? '', bounds.text)
  })
  try {
    feed(parser, lines, blocks, document, reading)
    parser.end()
  } catch {
    addFault(document, 'the output could not be parsed')
  }
  if (blocks.unclaimed > 0) addFault(document, 'diagnostics that belong to no check')
  if (cut) addFault(document, 'the last line is cut')
  return document
}

interface Reading {
  points: number
}

function feed(
  parser: Parser,
  lines: readonly string[],
  blocks: DiagnosticBlocks,
  document: Document,
  reading: Reading,
): void {
  for (let at = 0; at < lines.length; ) {
    if (reading.points > bounds.points) {
      addFault(document, `more than ${bounds.points} checks`)
      return
    }
    const line = lines[at] ?? ''
    const indent = line.length - line.trimStart().length
    if (indent > bounds.nesting * 4 || line.slice(0, indent).includes('\t')) {
      // Each four columns would be a parser of its own; tabs are nobody's subtests.
      document.strayLines = true
      if (looksLikeTap(line)) addFault(document, 'a line of TAP that is indented too deep or by tabs')
      at++
      continue
    }
    const block = blocks.startingAt(at)
    for (const fed of block?.stand ?? [escapeText(line)]) parser.write(`${fed}\n`)
    at = block?.next ?? at + 1
  }
}

/** Collects what one parser reports, the document's own or a subtest's. */
function follow(parser: Parser, document: Document, blocks: DiagnosticBlocks, reading: Reading): void {
  let pending: Document | null = null
  parser.on('child', (child: Parser) => {
    if (pending) addFault(document, 'a subtest without its own test point')
    pending = emptyDocument()
    follow(child, pending, blocks, reading)
  })
  parser.on('assert', (result: Result) => {
    reading.points++
    // KTAP allows this; no producer of TAP means it, but a text with a hash in it may say it.
    if (result.skip && !result.ok) addFault(document, 'a check that was skipped and failed at once')
    document.points.push(toPoint(result, pending, blocks))
    pending = null
  })
  parser.on('plan', (plan: { start: number; end: number; comment: string }) => {
    // The parser plans for those who printed nothing; that plan was not printed.
    if (plan.comment !== 'no tests found') document.plan = toPlan(plan)
  })
  parser.on('pragma', () => addFault(document, 'a pragma, which no test may use'))
  parser.on('comment', (comment: string) => {
    if (!parser.parent) annotate(document, comment)
    explain(document.points.at(-1), comment)
  })
  parser.on('complete', () => {
    if (pending) {
      // It was seen all the same, and a failure in it counts.
      addFault(document, 'a subtest without its own test point')
      document.points.push({ ...orphan, subtests: pending })
    }
  })
}

const orphan: Point = {
  number: null,
  ok: true,
  directive: null,
  reason: '',
  text: '',
  diagnostics: '',
  subtests: null,
}

function toPoint(result: Result, subtests: Document | null, blocks: DiagnosticBlocks): Point {
  const directive = result.todo ? 'todo' : result.skip ? 'skip' : null
  const why = result.todo || result.skip
  return {
    number: result.id === 0 ? null : result.id,
    ok: result.ok,
    directive,
    reason: typeof why === 'string' ? cutText(why.replace(/^\s*:\s*/, ''), bounds.text) : '',
    text: cutText(result.name, bounds.text),
    diagnostics: blocks.claim(result.diag),
    subtests,
  }
}

/** Whatever stands behind the plan is the reason for a skip (TAP 14, Plan), but for a TODO. */
function toPlan({ start, end, comment }: { start: number; end: number; comment: string }): Plan {
  const directive = readDirective(comment, 'tap')
  const reason = directive?.kind === 'skip' ? directive.reason : comment.trim()
  const isSkip = directive?.kind === 'skip' || (directive === null && reason !== '')
  return { start, end, skip: isSkip ? cutText(reason, bounds.text) : null }
}

/** Comments after a point that did not hold explain it. The count at the end is the parser's own remark. */
function explain(point: Point | undefined, comment: string): void {
  if (!point || point.ok || point.subtests || point.diagnostics.length > bounds.diagnostics) return
  if (/^# (?:measure: |fact: |Subtest|test count\()/.test(comment)) return
  const text = comment.trim().replace(/^# ?/, '')
  point.diagnostics += point.diagnostics === '' ? text : `\n${text}`
}

function noteStray(text: string, document: Document): void {
  document.strayLines ||= text.trim() !== ''
  if (/^\s+---\n/.test(text)) addFault(document, 'diagnostics without their end')
  else if (text.split('\n').some(looksLikeTap)) {
    addFault(document, `a line that is out of place: ${cutText(text.trim(), 80)}`)
    // After the plan the parser reads no points any more; a failure was printed all the same.
    const [, late] = /^not ok\b[\s\d]*(?:- )?(.*)$/m.exec(text) ?? []
    if (late !== undefined && !isForgiven(late)) {
      document.points.push({ ...orphan, ok: false, text: cutText(late, bounds.text) })
    }
  }
}

function isForgiven(text: string): boolean {
  const at = findDelimiter(text)
  return at !== -1 && readDirective(text.slice(at + 1), 'tap') !== null
}
