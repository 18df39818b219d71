import { mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { foldRun } from '../src/journal/fold.js'
import type { EnvironmentState } from '../src/journal/state.js'
import { writeMergedJunit } from '../src/reports/junit/merged.js'
import { sampleEnvironment, sampleJournal, samplePlan, sampleTest } from '../test/sample-run.js'

/**
 * Writes 300,000 test cases with 2 kB of output each as merged JUnit, and prints time, size and peak memory of the
 * process: `node dist/bench/junit.js [ENVIRONMENTS]`. Environments are made one after the other, as the writer asks for them: what is
 * measured is the writer, not a run that holds them all.
 */
const environments = Number(process.argv[2] ?? 300)
const testsEach = 1000
const outputBytes = 2000

function* manyEnvironments(): Generator<EnvironmentState> {
  const diagnostics = 'x'.repeat(outputBytes)
  for (let index = 0; index < environments; index += 1) {
    const id = `guest-${index}@rhel-kvm-9.6/bios`
    const tests = Array.from({ length: testsEach }, (_, number) => sampleTest(`clock/${number}`))
    const plan = samplePlan([sampleEnvironment(id, tests)])
    const journal = sampleJournal(plan)
    for (const test of tests) {
      journal.test(id, test.id, 'fail', { seen: [{ state: 'not-ok', text: 'it holds', diagnostics }] })
    }
    yield* foldRun(plan, journal.events).environments
  }
}

const folder = await mkdtemp(join(tmpdir(), 'guestcert-junit-bench-'))
const startedAt = performance.now()
try {
  const path = join(folder, 'junit.xml')
  const state = foldRun(samplePlan([]), [])
  const written = await writeMergedJunit({ path, state, environments: manyEnvironments(), profile: 'rich' })
  const sizes = await Promise.all(
    (await readdir(folder)).map(async name => (await stat(join(folder, name))).size),
  )
  const total = sizes.reduce((sum, size) => sum + size, 0)
  process.stdout.write(
    [
      `${environments * testsEach} cases with ${outputBytes} bytes of output each`,
      `${written.length} files, ${(total / 1e6).toFixed(0)} MB, the largest ${(Math.max(...sizes) / 1e6).toFixed(1)} MB`,
      `${((performance.now() - startedAt) / 1000).toFixed(1)} s`,
      `peak memory ${(process.resourceUsage().maxRSS / 1024).toFixed(0)} MiB`,
      '',
    ].join('\n'),
  )
} finally {
  await rm(folder, { recursive: true })
}
