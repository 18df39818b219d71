/** What `guestcert run` may be told about the whole of a run. */
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import type { JournalEvent } from '../src/journal/events.js'
import { guestcert } from './cli-io.js'

t.setTimeout(240_000)

const manifest = `suite: own
version: 1.0.0
title: One test of four fails
tests:
  - { id: holds, title: Holds, requirements: [O-1], level: required, script: holds.sh, protocol: exit }
  - { id: optional, title: Fails and is not required, requirements: [O-1], level: optional, script: fails.sh, protocol: exit }
  - { id: fails, title: Fails, requirements: [O-1], level: required, script: fails.sh, protocol: exit }
  - { id: last, title: Holds as well, requirements: [O-1], level: required, script: holds.sh, protocol: exit }
`

/** A lab of one emulated guest; `faults` are those of the guest. */
function labIn(t: Test, faults = ''): string {
  return t.testdir({
    'lab.yaml': `lab: options
defaults: { limits: { undo: 10s } }
hosts: { here: { product: rhel-kvm, version: "9.6", driver: static } }
guests:
  deb: { product: debian, version: "12", arch: x86_64, emulated: debian-12, ${faults}on: { here: { configuration: {} } } }
suites: [./own]
`,
    own: { 'suite.yaml': manifest, 'holds.sh': '#!/bin/sh\nexit 0\n', 'fails.sh': '#!/bin/sh\nexit 1\n' },
  })
}

interface Summary {
  readonly labels: object
  readonly endedEarly?: string
  readonly environments: readonly {
    readonly tests: readonly { test: string; verdict: string; reason?: string }[]
  }[]
}

async function latest(
  folder: string,
): Promise<{ summary: Summary; verdicts: string[]; events: JournalEvent[] }> {
  const run = join(folder, 'reports/latest')
  const summary = JSON.parse(await readFile(join(run, 'summary.json'), 'utf8')) as Summary
  const lines = (await readFile(join(run, 'journal.ndjson'), 'utf8')).trimEnd().split('\n')
  return {
    summary,
    verdicts: summary.environments.flatMap(({ tests }) =>
      tests.map(({ test, verdict }) => `${test} ${verdict}`),
    ),
    events: lines.map(line => JSON.parse(line) as JournalEvent),
  }
}

t.test(
  '--fail-fast begins nothing after the first required failure, and --last-failed does the rest',
  async t => {
    const cwd = labIn(t)
    const url = 'https://ci.example/build?id=7'
    const first = await guestcert(
      ['run', 'lab.yaml', '--fail-fast', '--label', 'build=7', '--label', `url=${url}`],
      { cwd },
    )
    t.equal(first.code, 1, first.stderr)
    t.match(
      first.stderr,
      /the run ended early: own\/fails in deb@rhel-kvm-9\.6\/default ended with the verdict fail/,
    )
    const { summary, verdicts, events } = await latest(cwd)
    t.same(verdicts, [
      'guestcert/boot pass',
      'own/holds pass',
      'own/optional fail',
      'own/fails fail',
      'own/last not-run',
    ])
    t.same(summary.labels, { build: '7', url })
    t.match(summary.endedEarly, 'own/fails')
    t.match(events[0], { type: 'run-opened', labels: { build: '7', url } })
    t.match(events.at(-1), { type: 'run-closed', interrupted: false, endedEarly: /own\/fails/ })
    t.ok(
      events.some(event => event.type === 'instance-ended' && event.undone.includes('remove')),
      'what was begun is undone',
    )

    const planned = await guestcert(['plan', 'lab.yaml', '--last-failed', '--json'], { cwd })
    const plan = JSON.parse(planned.stdout) as { environments: { tests: { id: string }[] }[] }
    t.same(
      plan.environments.flatMap(({ tests }) => tests.map(({ id }) => id)),
      ['guestcert/boot', 'own/optional', 'own/fails', 'own/last'],
    )
    const second = await guestcert(['run', 'lab.yaml', '--last-failed', '--test', 'last'], { cwd })
    t.equal(second.code, 0, second.stderr)
    t.same((await latest(cwd)).verdicts, ['guestcert/boot pass', 'own/last pass'])
    t.match(await guestcert(['run', 'lab.yaml', '--last-failed'], { cwd }), {
      code: 2,
      stderr: /--last-failed: nothing to run: every test of \S+ passed or was skipped\n$/,
    })
  },
)

t.test('--last-failed refuses a lab that has lost what is to be run again', async t => {
  const cwd = labIn(t)
  t.match(await guestcert(['run', 'lab.yaml', '--last-failed'], { cwd }), {
    code: 2,
    stderr: /^guestcert: --last-failed: there are no runs in \S+\n$/,
  })
  t.equal((await guestcert(['run', 'lab.yaml', '--test', 'fails', '--test', 'optional'], { cwd })).code, 1)
  const without = (id: string): string =>
    manifest
      .split('\n')
      .filter(line => !line.includes(`id: ${id}`))
      .join('\n')

  await writeFile(join(cwd, 'own/suite.yaml'), without('fails'))
  t.match(await guestcert(['run', 'lab.yaml', '--last-failed'], { cwd }), {
    code: 2,
    stderr:
      /^guestcert: --last-failed: own\/fails in deb@rhel-kvm-9\.6\/default, which did not pass in \S+, cannot be planned any more\n$/,
  })
})

t.test(
  '--repeat makes runs of their own, and --until-fail ends with the first that does not pass',
  async t => {
    const cwd = labIn(t)
    const whole = await guestcert(['run', 'lab.yaml', '--test', 'holds', '--repeat', '2', '--until-fail'], {
      cwd,
    })
    t.equal(whole.code, 0, whole.stderr)

    const runsIn = async (): Promise<number> =>
      (await readdir(join(cwd, 'reports'))).filter(name => name !== 'latest').length
    t.equal(await runsIn(), 2)
    t.match(whole.stderr, /run 1 of 2\nguestcert: run 2 of 2\n/)
    const failing = await guestcert(['run', 'lab.yaml', '--test', 'fails', '--until-fail'], { cwd })
    t.equal(failing.code, 1, failing.stderr)
    t.equal(await runsIn(), 3)
  },
)

t.test('the limit of a run ends what is under way with its name, and undoes it', async t => {
  const cwd = labIn(t, 'faults: { hang: { command: holds.sh } }, ')
  const { code, stderr } = await guestcert(['run', 'lab.yaml', '--run-limit', '8s'], { cwd })
  t.equal(code, 3, stderr)
  t.match(stderr, /the run ended early: the limit "run" of 8\.0 s was reached/)
  const { summary, events } = await latest(cwd)
  const tests = summary.environments.flatMap(environment => environment.tests)
  // On a busy machine the guest may not be up by then.
  const at = tests.findIndex(({ verdict }) => verdict !== 'pass')
  t.match(tests[at], { verdict: 'error', reason: /the limit "run" of 8\.0 s was reached/ })
  t.ok(tests.slice(at + 1).length > 0)
  t.same([...new Set(tests.slice(at + 1).map(({ verdict }) => verdict))], ['blocked'])
  t.ok(events.some(event => event.type === 'instance-ended' && event.undone.includes('remove')))
  t.match(events.at(-1), { type: 'run-closed', interrupted: false, exitCode: 3 })
})

t.test('a label that cannot be one is refused, with one clear line', async t => {
  const cwd = labIn(t)
  for (const [labels, line] of [
    [['build'], '--label must be KEY=VALUE, not "build"'],
    [['9=x'], '--label needs a key of letters, digits, "_", "." and "-" that begins with a letter, not "9"'],
    [['a='], '--label needs a value of 1 to 1024 printable characters for "a"'],
    [['a=\u001b[0m'], '--label needs a value of 1 to 1024 printable characters for "a"'],
    [['a=1', 'a=2'], '--label a is given twice'],
  ] as const) {
    const flags = labels.flatMap(label => ['--label', label])
    t.match(await guestcert(['run', 'lab.yaml', ...flags], { cwd }), {
      code: 2,
      stderr: `guestcert: ${line}\n`,
    })
  }
  t.match(await guestcert(['run', 'lab.yaml', '--run-limit', 'soon'], { cwd }), { code: 2 })
  t.match(await guestcert(['run', 'lab.yaml', '--repeat', '0'], { cwd }), { code: 2 })
})
