import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { JournalEvent } from '../src/journal/events.js'
import { guestcertProcess } from './cli-process.js'

/** Tests with every verdict that a sound runner can come to, on instances of several kinds. */
const manifest = `suite: own
version: 1.0.0
title: Every verdict
tests:
  - { id: first, title: Holds, requirements: [O-1], level: required, script: holds.sh, protocol: exit }
  - { id: fails, title: Fails, requirements: [O-1], level: required, script: fails.sh, protocol: exit }
  - { id: blocked, title: Comes after one that fails, requirements: [O-1], level: required, script: holds.sh, protocol: exit, after: [fails] }
  - { id: skipped, title: Does not apply, requirements: [O-1], level: optional, script: skips.sh, protocol: exit, codes: { skip: [4] } }
  - { id: broken, title: Cannot be carried out, requirements: [O-1], level: optional, script: breaks.sh, protocol: exit, codes: { error: [5] } }
  - { id: checks, title: Three checks, requirements: [O-1], level: required, script: checks.sh, protocol: tap }
  - { id: last, title: Holds as well, requirements: [O-1], level: required, script: holds.sh, protocol: exit, after: [checks] }
`

const checks = `#!/bin/sh
. "$GUESTCERT/tap.sh"
is 1 1 "one is one"
is 2 2 "two is two"
done_testing
`

/** The files of a lab of two emulated guests, one after the other, for runs that are killed. */
export const resumableLab = {
  'lab.yaml': `lab: resumable
defaults: { parallel: 1, limits: { undo: 10s } }
hosts: { here: { product: rhel-kvm, version: "9.6", driver: static } }
guests:
  one: { product: debian, version: "12", arch: x86_64, emulated: debian-12, on: { here: { configuration: {} } } }
  two: { product: debian, version: "12", arch: x86_64, emulated: debian-12, on: { here: { configuration: {} } } }
suites: [./own]
`,
  own: {
    'suite.yaml': manifest,
    'holds.sh': '#!/bin/sh\nexit 0\n',
    'fails.sh': '#!/bin/sh\nexit 1\n',
    'skips.sh': '#!/bin/sh\nexit 4\n',
    'breaks.sh': '#!/bin/sh\nexit 5\n',
    'checks.sh': checks,
  },
} as const

/** Runs the program in a folder, and kills it once so many events were told; resolves to how many were. */
export async function killedRun(cwd: string, argv: readonly string[], events: number): Promise<number> {
  const [program, ...args] = guestcertProcess
  const runner = spawn(program, [...args, ...argv, '--reporter', 'json'], {
    cwd,
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  let told = 0
  runner.stdout.on('data', chunk => {
    told += String(chunk).split('\n').length - 1
    if (told >= events) {
      runner.kill('SIGKILL')
    }
  })
  await once(runner, 'close')
  return told
}

/** What a run came to, as its reports say it. */
export interface RunOutcome {
  readonly exitCode: number
  readonly counts: Readonly<Record<string, number>>
  readonly flaky: number
  /** `environment test verdict`, in the plan's order. */
  readonly verdicts: readonly string[]
  readonly events: readonly JournalEvent[]
}

/** Reads a run's folder. */
export async function outcomeIn(folder: string): Promise<RunOutcome> {
  const { exitCode, counts, flaky, environments } = JSON.parse(
    await readFile(join(folder, 'summary.json'), 'utf8'),
  ) as Omit<RunOutcome, 'verdicts' | 'events'> & {
    readonly environments: readonly {
      readonly id: string
      readonly tests: readonly { readonly test: string; readonly verdict: string }[]
    }[]
  }
  return {
    exitCode,
    counts,
    flaky,
    verdicts: environments.flatMap(({ id, tests }) =>
      tests.map(({ test, verdict }) => `${id} ${test} ${verdict}`),
    ),
    events: await eventsIn(folder),
  }
}

/** The events in a run's journal; what a dead session has begun to write is none. */
export async function eventsIn(folder: string): Promise<JournalEvent[]> {
  const lines = (await readFile(join(folder, 'journal.ndjson'), 'utf8')).trimEnd().split('\n')
  return lines.flatMap(line => (line.endsWith('}') ? [JSON.parse(line) as JournalEvent] : []))
}
