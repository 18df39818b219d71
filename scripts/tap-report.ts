import type { Parser } from 'tap-parser'

/** What came of all files so far. */
export class TapReport {
  passed = 0
  failed = 0
  skipped = 0

  /** Prints what is not ok or skipped in a file as it comes, and a line for the file at its end. */
  watchFile(file: Parser, name: string): void {
    const started = performance.now()
    file.on(
      'complete',
      (results: { pass: number; fail: number; skip: number; ok: boolean; time: number | null }) => {
        this.passed += results.pass - results.skip
        this.failed += results.fail
        const mark = results.ok ? 'ok  ' : 'FAIL'
        // Files that run side by side are handed on when they have ended, and say themselves how long they took.
        const seconds = ((results.time ?? performance.now() - started) / 1000).toFixed(1)
        process.stdout.write(
          `${mark} ${name} (${results.pass} passed, ${results.fail} failed, ${seconds} s)\n`,
        )
      },
    )
    file.on('line', (line: string) => {
      if (process.env.TEST_VERBOSE !== undefined) {
        process.stdout.write(line)
      }
    })
    const watch = (level: Parser): void => {
      level.on('assert', assertion => this.#tell(assertion))
      level.on('child', watch)
    }
    watch(file)
  }

  #tell({
    ok,
    name,
    skip,
    diag,
  }: {
    ok: boolean
    name: string
    skip?: string | boolean
    diag?: unknown
  }): void {
    if (skip !== undefined && skip !== false) {
      this.skipped += 1
      process.stdout.write(`     skipped: ${name}: ${skip}\n`)
    }
    if (!ok) {
      process.stdout.write(`     not ok: ${name}\n${indent(diag)}`)
    }
  }
}

function indent(diagnostics: unknown): string {
  return diagnostics === undefined || diagnostics === null
    ? ''
    : `${JSON.stringify(diagnostics, null, 2).replace(/^/gm, '       ')}\n`
}
