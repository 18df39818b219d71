/** Parts of a plan that are run by themselves, and merged to one run. */
import { cp, readdir, readFile, realpath, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { guestcert } from './cli-io.js'
import { eventsIn, outcomeIn } from './resume-lab.js'

t.setTimeout(240_000)

const guests = ['ada', 'bob', 'cyd', 'dan', 'eve']

const files = {
  'lab.yaml': `lab: parts
hosts: { here: { product: rhel-kvm, version: "9.6", driver: static } }
guests:
${guests.map(name => `  ${name}: { product: debian, version: "12", arch: x86_64, emulated: debian-12, on: { here: { configuration: {} } } }`).join('\n')}
suites: [./own]
`,
  own: {
    'suite.yaml': `suite: own
version: 1.0.0
title: One fails on one guest
tests:
  - { id: prints, title: Holds, requirements: [O-1], level: required, script: prints.sh, protocol: exit }
  - { id: name, title: It has another name, requirements: [O-1], level: required, script: name.sh, protocol: exit }
`,
    'prints.sh': '#!/bin/sh\necho it holds\nexit 0\n',
    'name.sh': '#!/bin/sh\n[ "$(hostname)" != cyd ]\n',
  },
}

t.test('five parts that are run by themselves and merged are the whole run', async t => {
  const cwd = t.testdir(files)
  const whole = await guestcert(['run', 'lab.yaml', '-o', 'whole', '--label', 'build=7'], { cwd })
  const expected = await outcomeIn(join(cwd, 'whole/latest'))
  const parts: string[] = []
  for (const [at, label] of ['a', 'b', 'c', 'd', 'e'].entries()) {
    const { code, stderr } = await guestcert(
      [
        ...[
          'run',
          'lab.yaml',
          '-o',
          'parts',
          '--shard',
          `${at + 1}/5`,
          '--durations',
          'whole/latest/summary.json',
        ],
        ...['--label', 'build=7', '--label', `job=${label}`],
      ],
      { cwd },
    )
    t.ok(code <= 1, stderr)
    parts.push(await realpath(join(cwd, 'parts/latest')))
  }
  const runsIn = async (): Promise<string[]> => (await readdir(join(cwd, 'merged')).catch(() => [])).sort()
  const merge = (...runs: string[]): ReturnType<typeof guestcert> =>
    guestcert(['merge', ...runs, '-o', 'merged'], { cwd })

  await t.test('overlaps, gaps, other plans and changed parts are refused, and leave nothing', async t => {
    const refused = async (line: RegExp, ...runs: string[]): Promise<void> => {
      const { code, stderr } = await merge(...runs)
      t.equal(code, 2)
      t.match(stderr, line)
      t.equal(stderr.trimEnd().split('\n').length, 1)
      t.same(
        (await runsIn()).filter(name => name !== 'latest'),
        [],
      )
    }
    const [one = '', two = '', ...others] = parts
    await refused(/^guestcert: the runs cannot be merged: part 2\/5 is missing\n$/, one, ...others)
    await refused(/ are both part 1\/5\n$/, one, one, two, ...others)
    await refused(
      / is not part of a plan: it was not run with --shard\n$/,
      ...parts,
      join(cwd, 'whole/latest'),
    )
    const copy = join(cwd, 'copy')
    const changed = async (name: string, change: (text: string) => string): Promise<string> => {
      await rm(copy, { recursive: true, force: true })
      await cp(two, copy, { recursive: true })
      await writeFile(join(copy, name), change(await readFile(join(copy, name), 'utf8')))
      return copy
    }
    const other = await changed('plan.json', text => text.replace(/"whole": "\w/, '"whole": "x'))
    await refused(/ are parts of different plans\n$/, one, other, ...others)
    const split = await changed('plan.json', text => text.replace(/"durations": "\w/, '"durations": "x'))
    await refused(/ split the plan in different ways: 5 parts by the durations /, one, split, ...others)
    const smaller = await changed('plan.json', text =>
      text.replace('"level": "required"', '"level": "optional"'),
    )
    await refused(/ has another plan in plan\.json than in its journal\n$/, one, smaller, ...others)
    const open = await changed('journal.ndjson', text => text.replace(/.*"run-closed".*\n$/, ''))
    await refused(/ is not closed: resume it first\n$/, one, open, ...others)
    const [evidence] = (await eventsIn(two)).flatMap(event => ('evidence' in event ? event.evidence : []))
    const forged = await changed(evidence?.path ?? 'none', text => `${text}more\n`)
    await refused(
      /copy\/evidence\/.* does not have the digest that its journal names\n$/,
      one,
      forged,
      ...others,
    )
  })

  const merged = await merge(...parts.toReversed())
  t.equal(merged.code, whole.code, merged.stderr)
  const run = await realpath(join(cwd, 'merged/latest'))
  const found = await outcomeIn(run)
  t.same(found.verdicts, expected.verdicts)
  t.same([found.counts, found.flaky, found.exitCode], [expected.counts, expected.flaky, expected.exitCode])
  const [opened] = found.events
  const plan = JSON.parse(await readFile(join(run, 'plan.json'), 'utf8')) as {
    digest: string
    shard?: object
  }
  t.match(opened, {
    type: 'run-opened',
    planDigest: plan.digest,
    expected: expected.verdicts.length,
    labels: { build: '7', job: undefined },
  })
  t.match(expected.events[0], { planDigest: plan.digest }, 'it is the plan of the whole run')
  t.equal(plan.shard, undefined)
  const parents = opened?.type === 'run-opened' ? (opened.parents ?? []) : []
  t.same(
    parents.map(({ shard }) => shard),
    ['1/5', '2/5', '3/5', '4/5', '5/5'],
  )
  const attempts = (events: typeof found.events): string[] =>
    events.flatMap(event =>
      event.type === 'test-ended' ? [`${event.environment} ${event.test} ${event.attempt}`] : [],
    )
  t.same(attempts(found.events).sort(), attempts(expected.events).sort())
  t.equal(found.events.filter(({ type }) => type === 'session-started').length, 5)
  t.same((await readdir(join(run, 'junit'))).sort(), (await readdir(join(cwd, 'whole/latest/junit'))).sort())
  const evidence = found.events.flatMap(event => ('evidence' in event ? event.evidence : []))
  t.ok(evidence.length >= guests.length)
  t.match(await readFile(join(run, evidence[0]?.path ?? ''), 'utf8'), /./)
  t.equal((await guestcert(['report', run], { cwd })).code, expected.exitCode)
})
