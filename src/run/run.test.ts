import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { loadLab } from '../config/load.js'
import { noHistory } from '../engine/estimate.js'
import { driverSource } from '../hypervisors/registry.js'
import type { EventBody, JournalEvent } from '../journal/events.js'
import { makePlan } from '../plan/build.js'
import { everything } from '../plan/choice.js'
import { loadSuites } from '../plan/suites.js'
import { password, realShell, startServer } from '../remote/server.test.fixture.js'
import { openDrivers } from './drivers.js'
import type { EventReader, EventSink, RunRequest } from './request.js'
import { carryOut } from './run.js'

const suite = `suite: small
version: 1.0.0
title: Of two tests
tests:
  - { id: holds, title: Holds, requirements: [X-1], level: required, script: holds.sh, protocol: exit }
  - { id: fails, title: Fails, requirements: [X-1], level: required, script: fails.sh, protocol: exit }
`

const lab = (hostKey: string): string => `lab: small
hosts: { a: { product: debian-kvm, version: "12", driver: static } }
guests:
  one:
    product: debian
    version: "12"
    arch: x86_64
    login: { user: root, password: env:RUN_TEST_PASSWORD, hostKey: "${hostKey}" }
    on: { a: { address: "127.0.0.1:PORT", configuration: {} } }
suites: [./suite]
`

/** A request for a run of two tests on a server of this process, which runs commands in a real shell. */
async function requestFor(t: Test): Promise<RunRequest> {
  process.env.RUN_TEST_PASSWORD = password
  const server = await startServer({ exec: realShell() })
  t.teardown(() => server.close())
  const folder = t.testdir({
    suite: {
      'suite.yaml': suite,
      'holds.sh': '#!/bin/sh\nexit 0\n',
      'fails.sh': '#!/bin/sh\nexit 1\n',
    },
    'lab.yaml': lab(server.fingerprints[0] ?? '').replace('PORT', String(server.port)),
    cache: {},
  })
  const loaded = await loadLab(join(folder, 'lab.yaml'), driverSource)
  const suites = await loadSuites(loaded.suites, loaded.file)
  const cacheFolder = join(folder, 'cache')
  const planned = openDrivers(loaded, cacheFolder)
  const plan = makePlan(loaded, suites, everything, planned.abilitiesOf)
  await planned.close()
  const never = new AbortController().signal
  return {
    lab: loaded,
    suites,
    plan,
    output: join(folder, 'reports'),
    workspace: folder,
    cacheFolder,
    reusesLab: false,
    who: 'test',
    keep: 'never',
    parallel: 1,
    retries: 0,
    history: noHistory,
    drain: never,
    stop: never,
    warn: text => t.fail(text),
  }
}

/** A sink that keeps events in memory, and refuses those that `refuses` names. */
function memorySink(
  refuses: (body: EventBody) => boolean = () => false,
): EventSink & { events: JournalEvent[] } {
  const events: JournalEvent[] = []
  return {
    events,
    isGone: false,
    append: async body => {
      if (refuses(body)) {
        throw new Error(`no room for ${body.type}`)
      }
      const event = { v: 1, seq: events.length + 1, epoch: 1, at: new Date().toISOString(), ms: 0, ...body }
      events.push(event)
      return event
    },
    close: async () => {},
  }
}

t.test('a plan is carried out into a sink of the caller’s own', async t => {
  const sink = memorySink()
  const told: string[] = []
  const reader: EventReader = {
    event: ({ type }) => told.push(type),
    end: (state, exitCode) => told.push(`end ${state.counts.pass} ${state.counts.fail} ${exitCode}`),
  }
  const { state, exitCode, folder } = await carryOut({
    ...(await requestFor(t)),
    sink,
    readersFor: () => [reader],
  })
  t.equal(exitCode, 1)
  t.match(state.counts, { fail: 1, error: 0 })
  t.equal(state.environments.flatMap(({ tests }) => tests).length, 3, 'the bring-up and both tests')
  t.same(
    told.slice(0, -1),
    sink.events.map(({ type }) => type),
    'the reader is told of what is written, in its order',
  )
  t.equal(told.at(-1), 'end 2 1 1')
  t.equal(sink.events.at(-1)?.type, 'run-closed')
  t.notOk((await readdir(folder)).includes('journal.ndjson'), 'there is no journal beside it')
  t.match(JSON.parse(await readFile(join(folder, 'summary.json'), 'utf8')), { exitCode: 1 })
})

t.test('a reader that throws is told nothing more, and the run is whole but for its exit code', async t => {
  const sink = memorySink()
  let told = 0
  const reader: EventReader = {
    event: () => {
      told += 1
      throw new Error('the reader is broken')
    },
    end: () => t.fail('it is told of the end'),
  }
  const run = carryOut({ ...(await requestFor(t)), sink, readersFor: () => [reader] })
  await t.rejects(run, { message: 'the reader is broken' })
  t.equal(told, 1)
  t.match(sink.events.at(-1), { type: 'run-closed', exitCode: 4, counts: { pass: 2, fail: 1, 'not-run': 0 } })
})

t.test(
  'what a reader does after it was told is awaited, and one that rejects costs the others nothing',
  async t => {
    const sink = memorySink()
    const codes: number[] = []
    let isWritten = false
    const slow: EventReader = {
      event: () => undefined,
      end: async () => {
        await new Promise(resolve => setImmediate(resolve))
        isWritten = true
      },
    }
    const broken: EventReader = {
      event: () => undefined,
      end: async () => Promise.reject(new Error('no room')),
    }
    const last: EventReader = { event: () => undefined, end: (_state, code) => codes.push(code) }
    const run = carryOut({ ...(await requestFor(t)), sink, readersFor: () => [slow, broken, last] })
    await t.rejects(run, { message: 'no room' })
    t.ok(isWritten)
    t.same(codes, [4], 'whoever is told last knows of it')
  },
)

t.test('what cannot be written down ends the run, and is not a verdict', async t => {
  const sink = memorySink(({ type }) => type === 'test-ended')
  await t.rejects(carryOut({ ...(await requestFor(t)), sink }), { message: 'no room for test-ended' })
  t.same(
    sink.events.filter(({ type }) => type === 'test-ended'),
    [],
  )
  t.match(sink.events.at(-1), { type: 'run-closed', exitCode: 4, counts: { pass: 0 } })
})

t.test('a test is blocked when what it comes after is not in the plan: it was not seen to pass', async t => {
  const sink = memorySink()
  const request = await requestFor(t)
  const environments = request.plan.environments.map(environment => ({
    ...environment,
    tests: environment.tests
      .filter(({ id }) => id !== 'small/fails')
      .map(test => (test.id === 'small/holds' ? { ...test, after: ['small/fails'] } : test)),
  }))
  const { state } = await carryOut({ ...request, plan: { ...request.plan, environments, expected: 2 }, sink })
  t.match(state.environments[0]?.tests[1], {
    planned: { id: 'small/holds' },
    verdict: 'blocked',
    reason: /it needs small\/fails, whose verdict is not-run/,
  })
})
