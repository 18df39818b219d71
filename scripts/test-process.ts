import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { Parser } from 'tap-parser'
import { afterQuietTime } from './quiet-clock.js'
import type { TapReport } from './tap-report.js'

/** How long tap may take to say what it still waits for, after the limit of its file. */
const lastWordsMs = 10_000
const group = fileURLToPath(new URL('test-group.js', import.meta.url))

const running = new Set<ChildProcess>()

/** How a process with test files is run. */
export interface TestProcess {
  readonly files: readonly string[]
  /** In time of a quiet machine. */
  readonly limitMs: number
}

/** Runs test files in a process of their own and reports them; true if it ended well. */
export async function runTestProcess({ files, limitMs }: TestProcess, report: TapReport): Promise<boolean> {
  const [first = '', ...others] = files
  const program = others.length === 0 ? [first] : [group, first.replaceAll('/', '-')]
  const child = spawn(process.execPath, ['--trace-warnings', ...program], {
    // A process group, so that a file that is stopped leaves nothing behind.
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    // The limit is kept here: tap would give a test half a minute by the clock.
    env: { ...process.env, TAP_TIMEOUT: '0', TEST_FILES: JSON.stringify(files) },
  })
  const parser = new Parser()
  report.watch(parser, files)
  child.stdout.pipe(parser)
  let leaks = 0
  child.stderr.on('data', (chunk: Buffer) => {
    leaks += chunk.includes('MaxListenersExceededWarning') ? 1 : 0
    process.stderr.write(chunk)
  })
  const parsed = once(parser, 'complete')
  const { code, isLate } = await endOf(child, limitMs)
  await parsed
  if (isLate) {
    report.fail(files, `stopped: it took longer than ${limitMs / 1000} s of a quiet machine`)
  }
  if (leaks > 0) {
    report.fail(files, 'listeners were added and never removed (MaxListenersExceededWarning)')
  }
  return code === 0
}

/** How a process ended. */
export interface TestEnd {
  readonly code: number | null
  /** True when it was stopped at its limit. */
  readonly isLate: boolean
}

/** Waits until a process that leads its group has ended, or stops it at its limit, in time of a quiet machine. */
export async function endOf(child: ChildProcess, limitMs: number): Promise<TestEnd> {
  running.add(child)
  let isLate = false
  let lastWords: NodeJS.Timeout | undefined
  const withdraw = afterQuietTime(limitMs, () => {
    isLate = true
    child.kill('SIGALRM')
    lastWords = setTimeout(() => endGroup(child), lastWordsMs)
  })
  const [code] = (await once(child, 'close')) as [number | null]
  withdraw()
  clearTimeout(lastWords)
  running.delete(child)
  return { code, isLate }
}

/** Stops what still runs, with all that it has started. */
export function stopAll(): void {
  for (const child of running) {
    endGroup(child)
  }
}

function endGroup({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined) {
      process.kill(-pid, 'SIGKILL')
    }
  } catch {
    // It has ended already.
  }
}
