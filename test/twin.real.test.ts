import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'
import t from 'tap'
import { packageRoot } from '../src/config/package-root.js'
import type { JournalEvent } from '../src/journal/events.js'
import { missingTools } from '../src/lab/images/build.js'
import { guestcertProcess } from './cli-process.js'
import { differences, seenIn } from './twins.js'

/** A guest boots twice in software emulation, on a machine that may have other things to do. */
const passLimitMs = 25 * 60_000
const imageLimitMs = 15 * 60_000
t.setTimeout(passLimitMs + imageLimitMs)

t.test('a real Debian guest and its captured copy do the same in every check', async t => {
  t.same(missingTools(), [], 'the Debian packages that building an image needs are installed')
  const [program, ...args] = guestcertProcess
  const options = { cwd: packageRoot, reject: false, stdin: 'ignore' } as const
  const built = await execa(program, [...args, 'lab', 'build', 'debian'], {
    ...options,
    timeout: imageLimitMs,
  })
  t.equal(built.exitCode, 0, built.stderr)
  const reports = t.testdir()
  const { exitCode, stdout, stderr } = await execa(
    program,
    [...args, 'run', 'fixtures/labs/twin.yaml', '--suite', 'core', '--output', reports],
    { ...options, timeout: passLimitMs },
  )
  t.equal(exitCode, 0, `${stdout}\n${stderr}`)
  const text = await readFile(join(reports, 'latest/journal.ndjson'), 'utf8')
  const events = text
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line) as JournalEvent)
  const original = seenIn(events, id => id.startsWith('original@'))
  const copy = seenIn(events, id => id.startsWith('copy@'))
  t.ok(original.size >= 12, `${original.size} tests ran on the original`)
  for (const [test, { checks }] of original) {
    t.ok(checks.length > 0, `${test} made ${checks.length} checks`)
  }
  t.same(differences(original, copy), [], 'no check differs')
})
