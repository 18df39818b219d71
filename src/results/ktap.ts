import { annotate } from './annotations.js'
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
}

/**
 * Reads KTAP version 1 and the TAP 13 that older selftests print, as the kernel's
 * `Documentation/dev-tools/ktap.rst` has it: subtests open with a version line (or KUnit's `# Subtest:`) that is
 * indented deeper, and close with their parent's result line. The outermost results need a plan here, and there
 * is one document in an output, not several. Never throws.
 */
export function parseKtap(output: Buffer | string): Document {
  const { lines, cut, faults } = splitLines(output)
  const document = emptyDocument()
  for (const fault of faults) addFault(document, fault)
  const reader = new KtapReader(document)
  for (const line of lines) reader.read(line)
  reader.end()
  if (cut) addFault(document, 'the last line is cut')
  return document
}

class KtapReader {
  readonly #root: Document
  readonly #levels: Level[]
  #versioned = false
  #points = 0
  #comments: string[] = []

  constructor(root: Document) {
    this.#root = root
    this.#levels = [{ indent: 0, document: root }]
  }

  read(raw: string): void {
    const line = raw.trimStart()
    const indent = raw.length - line.length
    if (line === '' || this.#root.bailout !== null) return
    if (line.startsWith('#')) this.#comment(raw, line, indent)
    else if (/^K?TAP version \d+\s*$/.test(line)) this.#version(line, indent)
    else if (this.#plan(line, indent) || this.#result(line, indent)) return
    else if (/^bail out!/i.test(line)) this.#root.bailout = cutText(line.slice(9).trim(), bounds.text)
    else if (looksLikeTap(line)) this.#fault(`a line that is out of place: ${cutText(line, 80)}`)
    else this.#root.strayLines = true
  }

  end(): void {
    if (!this.#versioned) this.#fault('there is no version line')
    while (this.#levels.length > 1) {
      this.#fault('nested results without the result of their parent')
      this.#close({ number: null, ok: true, directive: null, reason: '', text: '', diagnostics: '' })
    }
  }

  get #level(): Level {
    return this.#levels.at(-1) ?? { indent: 0, document: this.#root }
  }

  #fault(fault: string): void {
    addFault(this.#root, fault)
  }

  #comment(raw: string, line: string, indent: number): void {
    annotate(this.#root, raw)
    if (/^# Subtest(?::|$)/.test(line)) {
      if (indent > this.#level.indent) this.#open(indent)
    } else if (this.#comments.length < bounds.facts) this.#comments.push(line.replace(/^# ?/, ''))
  }

  #version(line: string, indent: number): void {
    const level = this.#level
    const fresh = level.document.points.length === 0 && level.document.plan === null
    const expected = this.#levels.length > 1 || !this.#versioned
    if (!/^(?:KTAP version 1|TAP version 1[34])\s*$/.test(line)) this.#fault(`unknown: ${line}`)
    else if (indent > level.indent) this.#open(indent)
    else if (indent !== level.indent || !fresh || !expected) this.#fault('a second document')
    else if (this.#levels.length === 1) this.#versioned = true
  }

  #open(indent: number): void {
    if (this.#levels.length > bounds.nesting) this.#fault('nested too deep')
    else this.#levels.push({ indent, document: emptyDocument() })
  }

  #plan(line: string, indent: number): boolean {
    const match = /^(\d+)\.\.(\d+)(?:\s+#\s*(.*))?\s*$/.exec(line)
    if (!match) return false
    const { document } = this.#level
    if (indent !== this.#level.indent) this.#fault('a plan without a version line')
    else if (document.plan) this.#fault('a second plan')
    else {
      const skip = /^skip\S*\s*(.*)$/i.exec(match[3] ?? '')
      const reason = skip ? cutText(skip[1] ?? '', bounds.text) : null
      document.plan = { start: Number(match[1]), end: Number(match[2]), skip: reason }
    }
    return true
  }

  #result(line: string, indent: number): boolean {
    const match = /^(not )?ok (\d+)(?:\s+(.*))?$/.exec(line)
    if (!match) return false
    if (++this.#points > bounds.points) {
      this.#fault(`more than ${bounds.points} checks`)
      return true
    }
    const point = toPoint(match[1] === undefined, Number(match[2]), match[3] ?? '')
    if (!point.ok) point.diagnostics = cutText(this.#comments.join('\n'), bounds.diagnostics)
    this.#comments = []
    if (point.ok && point.reason.startsWith('TIMEOUT')) this.#fault('a check that is ok and timed out')
    this.#place(point, indent)
    return true
  }

  /** A result at its own level is a check; one that is indented less closes the levels below it. */
  #place(point: Omit<Point, 'subtests'>, indent: number): void {
    while (this.#levels.length > 2 && indent < (this.#levels.at(-2)?.indent ?? 0)) {
      this.#fault('nested results without the result of their parent')
      this.#close({
        ...point,
        text: '',
        ok: true,
        directive: null,
        reason: '',
        diagnostics: '',
        number: null,
      })
    }
    if (indent === this.#level.indent) this.#level.document.points.push({ ...point, subtests: null })
    else if (indent === this.#levels.at(-2)?.indent) this.#close(point)
    else {
      this.#fault(`a result at an indentation of its own: ${cutText(point.text, 80)}`)
      // It was printed all the same, and if it failed it failed.
      this.#level.document.points.push({ ...point, number: null, subtests: null })
    }
  }

  #close(point: Omit<Point, 'subtests'>): void {
    const closed = this.#levels.pop()
    this.#level.document.points.push({ ...point, subtests: closed?.document ?? null })
  }
}

function toPoint(ok: boolean, number: number, rest: string): Omit<Point, 'subtests'> {
  const hash = rest.search(/(?:^|\s)#/)
  const description = hash === -1 ? rest : rest.slice(0, hash)
  const after = hash === -1 ? '' : rest.slice(rest.indexOf('#', hash) + 1).trim()
  const [, word = '', why = ''] = /^(skip|todo|xfail)\b:?\s*(.*)$/i.exec(after) ?? []
  const kind = word.toLowerCase()
  const directive = kind === 'skip' ? 'skip' : kind === '' ? null : 'todo'
  const text = cutText(description.replace(/^-\s+/, '').trim(), bounds.text)
  return {
    number,
    ok,
    directive,
    reason: cutText(directive === null ? after : why, bounds.text),
    text,
    diagnostics: '',
  }
}
