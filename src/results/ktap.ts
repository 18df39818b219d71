import { annotate } from './annotations.js'
import { findDelimiter, readDirective } from './directive.js'
import {
  addFault,
  bounds,
  cutText,
  type Document,
  emptyDocument,
  looksLikeTap,
  type Point,
} from './document.js'
import { foldDocument } from './fold.js'
import type { Ended, Folded } from './folded.js'
import { LinePrefix } from './ktap-prefix.js'
import { splitLines } from './lines.js'

/**
 * Folds the output of the kernel's selftests; see {@link foldDocument} for the rules. Status 4 is how they say
 * that they were skipped (`KSFT_SKIP` in the kernel's `tools/testing/selftests/kselftest.h`). Never throws.
 */
export function foldKtap(ended: Ended): Folded {
  return foldDocument(parseKtap(ended.stdout), ended, {
    by: 'ktap',
    subtestsNeedPlan: false,
    skipCodes: [0, 4],
  })
}

/** The results of one nesting level, while they are read. */
interface Level {
  readonly indent: number
  readonly document: Document
  /** Results that failed below the next one, in what its own program printed: `kselftest` has it as comments. */
  quoted: Point[]
}

type Result = Omit<Point, 'subtests'>

/**
 * Reads KTAP version 1 and the TAP 13 that older selftests print, as the kernel's
 * `Documentation/dev-tools/ktap.rst` has it: subtests open with a version line (or KUnit's `# Subtest:`) that is
 * indented deeper, and close with their parent's result line. Lines may carry the prefixes of a kernel's log.
 *
 * Several documents may follow each other, as when selftests of several folders are run: each must be whole.
 * The outermost results need a plan here. Never throws.
 */
export function parseKtap(output: Buffer | string): Document {
  const { lines, cut, faults } = splitLines(output)
  const reader = new KtapReader()
  for (const line of lines) reader.read(line)
  const document = reader.end()
  for (const fault of faults) addFault(document, fault)
  if (cut) addFault(document, 'the last line is cut')
  return document
}

class KtapReader {
  /** What holds for the output as a whole: its faults, its bail-out, its measures. */
  readonly #whole = emptyDocument()
  readonly #documents: Document[] = []
  readonly #prefix = new LinePrefix()
  #levels: Level[] = []
  #versioned = false
  #points = 0
  #comments: string[] = []
  /** The program whose output is quoted bailed out. */
  #hasGivenUp = false

  constructor() {
    this.#begin(0)
  }

  read(printed: string): void {
    const raw = this.#prefix.strip(printed)
    const line = raw.trimStart()
    const indent = raw.length - line.length
    if (line === '' || this.#whole.bailout !== null) return
    if (line.startsWith('#')) this.#comment(raw, line, indent)
    else if (/^K?TAP version \d+\s*$/.test(line)) this.#version(line, indent)
    else if (this.#plan(line, indent) || this.#result(line, indent)) return
    else if (/^bail out!/i.test(line)) this.#whole.bailout = cutText(line.slice(9).trim(), bounds.text)
    else if (looksLikeTap(line)) this.#fault(`a line that is out of place: ${cutText(line, 80)}`)
    else this.#whole.strayLines = true
  }

  /** One document as it is; several as the subtests of one. */
  end(): Document {
    if (!this.#versioned) this.#fault('there is no version line')
    this.#finish()
    const [only, ...others] = this.#documents
    const points = others.length === 0 ? (only?.points ?? []) : this.#documents.map(toDocumentPoint)
    const plan = others.length === 0 ? (only?.plan ?? null) : { start: 1, end: points.length, skip: null }
    return { ...this.#whole, points, plan }
  }

  get #level(): Level {
    return this.#levels.at(-1) ?? this.#begin(0)
  }

  #begin(indent: number): Level {
    const level = { indent, document: emptyDocument(), quoted: [] }
    this.#documents.push(level.document)
    this.#levels = [level]
    return level
  }

  /** Closes what is open. */
  #finish(): void {
    while (this.#levels.length > 1) {
      this.#fault('nested results without the result of their parent')
      this.#close(nameless)
    }
    const { document, quoted } = this.#level
    // They belong to no result, and have failed all the same.
    document.points.push(...quoted)
    if (quoted.length > 0) this.#fault('results in comments without the result of their parent')
  }

  #fault(fault: string): void {
    addFault(this.#whole, fault)
  }

  #comment(raw: string, line: string, indent: number): void {
    annotate(this.#whole, raw)
    if (/^# Subtest(?::|$)/.test(line)) {
      if (indent > this.#level.indent) this.#open(indent)
      return
    }
    const quoted = line.replace(/^(?:#\s*)+/, '')
    if (/^bail out!/i.test(quoted)) this.#hasGivenUp = true
    const failure = toResult(quoted)
    if (failure !== null && !failure.ok && failure.directive === null) this.#quote(failure)
    if (this.#comments.length < bounds.facts) this.#comments.push(line.replace(/^# ?/, ''))
  }

  #quote(failure: Result): void {
    this.#points++
    if (this.#points > bounds.points) this.#fault(`more than ${bounds.points} checks`)
    else this.#level.quoted.push({ ...failure, number: null, subtests: null })
  }

  #version(line: string, indent: number): void {
    const level = this.#level
    const isFresh = level.document.points.length === 0 && level.document.plan === null
    const isExpected = this.#levels.length > 1 || !this.#versioned
    if (!/^(?:KTAP version 1|TAP version 1[34])\s*$/.test(line)) this.#fault(`unknown: ${line}`)
    else if (indent > level.indent) this.#open(indent)
    else if (indent === level.indent && isFresh && isExpected) this.#versioned ||= this.#levels.length === 1
    else if (indent === level.indent && this.#levels.length === 1) this.#next(indent)
    else this.#fault('a second document within the first')
  }

  /** A document after the first: this one must be whole by itself. */
  #next(indent: number): void {
    this.#finish()
    if (this.#documents.length > bounds.nesting * 16) this.#fault('too many documents')
    else this.#begin(indent)
  }

  #open(indent: number): void {
    if (this.#levels.length > bounds.nesting) this.#fault('nested too deep')
    else this.#levels.push({ indent, document: emptyDocument(), quoted: [] })
  }

  #plan(line: string, indent: number): boolean {
    const match = /^(\d+)\.\.(\d+)(?:\s+#\s*(.*))?\s*$/.exec(line)
    if (!match) return false
    const { document } = this.#level
    if (indent !== this.#level.indent) this.#fault('a plan without a version line')
    else if (document.plan) this.#fault('a second plan')
    else {
      const directive = readDirective(match[3] ?? '', 'ktap')
      const reason = directive?.kind === 'skip' ? cutText(directive.reason, bounds.text) : null
      document.plan = { start: Number(match[1]), end: Number(match[2]), skip: reason }
    }
    return true
  }

  #result(line: string, indent: number): boolean {
    const point = toResult(line)
    if (point === null) return false
    if (++this.#points > bounds.points) {
      this.#fault(`more than ${bounds.points} checks`)
      return true
    }
    const told = point.ok
      ? point
      : { ...point, diagnostics: cutText(this.#comments.join('\n'), bounds.diagnostics) }
    this.#comments = []
    if (point.ok && point.directive === null && this.#hasGivenUp) {
      this.#fault('a check that is ok although its program bailed out')
    }
    this.#hasGivenUp = false
    if (point.ok && point.reason.startsWith('TIMEOUT')) this.#fault('a check that is ok and timed out')
    this.#place(told, indent)
    return true
  }

  /** A result at its own level is a check; one that is indented less closes the levels below it. */
  #place(point: Result, indent: number): void {
    while (this.#levels.length > 2 && indent < (this.#levels.at(-2)?.indent ?? 0)) {
      this.#fault('nested results without the result of their parent')
      this.#close(nameless)
    }
    if (indent === this.#level.indent) this.#add(point)
    else if (indent === this.#levels.at(-2)?.indent) this.#close(point)
    else {
      this.#fault(`a result at an indentation of its own: ${cutText(point.text, 80)}`)
      // It was printed all the same, and if it failed it failed.
      this.#level.document.points.push({ ...point, number: null, subtests: null })
    }
  }

  /** A result with what failed below it in comments, which counts although the result is ok. */
  #add(point: Result): void {
    const { document, quoted } = this.#level
    this.#level.quoted = []
    document.points.push({
      ...point,
      subtests: quoted.length === 0 ? null : { ...emptyDocument(), points: quoted },
    })
  }

  /** Closes a level with its parent's result. */
  #close(point: Result): void {
    const closed = this.#levels.pop()
    const { document, quoted } = this.#level
    const points = [...(closed?.document.points ?? []), ...(closed?.quoted ?? []), ...quoted]
    this.#level.quoted = []
    document.points.push({ ...point, subtests: { ...(closed?.document ?? emptyDocument()), points } })
  }
}

const nameless: Result = { number: null, ok: true, directive: null, reason: '', text: '', diagnostics: '' }

/** One of several documents as a result of the whole. */
function toDocumentPoint(document: Document, index: number): Point {
  const text = `document ${index + 1}`
  const { plan } = document
  if (plan === null) addFault(document, 'there is no plan line')
  else if (plan.end === 0 && plan.skip === null) {
    addFault(document, 'the plan is 1..0 and no reason for skipping is given')
  }
  return { ...nameless, number: index + 1, text, subtests: document }
}

/** Reads a result line; `null` for any other. */
function toResult(line: string): Result | null {
  const match = /^(not )?ok (\d+)(?:\s+(.*))?$/.exec(line)
  if (match === null) return null
  const [, not, number, rest = ''] = match
  const at = findDelimiter(rest)
  const after = at === -1 ? '' : rest.slice(at + 1).trim()
  const directive = readDirective(after, 'ktap')
  const description = at === -1 ? rest : rest.slice(0, at)
  return {
    number: Number(number),
    ok: not === undefined,
    directive: directive?.kind ?? null,
    reason: cutText(directive?.reason ?? after, bounds.text),
    text: cutText(description.replace(/^-\s+/, '').trim(), bounds.text),
    diagnostics: '',
  }
}
