import type { Parser } from 'tap-parser'

/** Begins the name of the test that ends a file in a process that several files share. */
export const groupMark = 'end of '

interface Assertion {
  readonly ok: boolean
  readonly name: string
  readonly skip?: string | boolean
  readonly diag?: unknown
}

interface Counts {
  passed: number
  failed: number
  skipped: number
}

/** What came of all files so far. */
export class TapReport {
  passed = 0
  failed = 0
  skipped = 0
  /** How long each file took. */
  readonly seconds: Record<string, number> = {}

  /** Prints what is not ok or skipped in the files of a process as it comes, and a line for each file at its end. */
  watch(process: Parser, files: readonly string[]): void {
    let counts: Counts = { passed: 0, failed: 0, skipped: 0 }
    let started = performance.now()
    const waiting = [...files]
    const endFile = (isWell: boolean): void => {
      const file = waiting.shift()
      if (file === undefined) {
        return
      }
      const seconds = (performance.now() - started) / 1000
      this.seconds[file] = seconds
      this.passed += counts.passed
      this.failed += counts.failed
      this.skipped += counts.skipped
      const mark = isWell && counts.failed === 0 ? 'ok  ' : 'FAIL'
      print(`${mark} ${file} (${counts.passed} passed, ${counts.failed} failed, ${seconds.toFixed(1)} s)`)
      counts = { passed: 0, failed: 0, skipped: 0 }
      started = performance.now()
    }
    process.on('assert', (assertion: Assertion) => {
      if (files.length > 1 && assertion.name.startsWith(groupMark)) {
        endFile(assertion.ok)
      } else if (isSkipped(assertion)) {
        counts.skipped += 1
      } else {
        counts[assertion.ok ? 'passed' : 'failed'] += 1
      }
    })
    process.on('complete', ({ ok }: { ok: boolean }) => {
      if (files.length === 1) {
        // A plan that was not kept is a failure of no single test.
        counts.failed += ok || counts.failed > 0 ? 0 : 1
        endFile(ok)
      }
      this.#missing(waiting)
    })
    const watchLevel = (level: Parser): void => {
      level.on('assert', tell)
      level.on('child', watchLevel)
    }
    watchLevel(process)
    process.on('line', (line: string) => {
      if (globalThis.process.env.TEST_VERBOSE !== undefined) {
        globalThis.process.stdout.write(line)
      }
    })
  }

  /** Counts a failure of files that none of their tests tells. */
  fail(files: readonly string[], reason: string): void {
    this.failed += 1
    print(`FAIL ${files.join(', ')}: ${reason}`)
  }

  #missing(files: readonly string[]): void {
    for (const file of files) {
      this.fail([file], 'its process ended before it')
    }
  }
}

function isSkipped({ skip }: Assertion): boolean {
  return skip !== undefined && skip !== false
}

function tell(assertion: Assertion): void {
  if (isSkipped(assertion)) {
    print(`     skipped: ${assertion.name}: ${assertion.skip}`)
  }
  if (!assertion.ok) {
    print(`     not ok: ${assertion.name}${indent(assertion.diag)}`)
  }
}

function print(text: string): void {
  process.stdout.write(`${text}\n`)
}

function indent(diagnostics: unknown): string {
  return diagnostics === undefined || diagnostics === null
    ? ''
    : `\n${JSON.stringify(diagnostics, null, 2).replace(/^/gm, '       ')}`
}
