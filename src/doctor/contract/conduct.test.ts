import t, { type Test } from 'tap'
import { openCloud } from '../../hypervisors/cloud-subject.test.fixture.js'
import { type ContractSubject, never } from '../../hypervisors/contract/subject.js'
import type { Driver } from '../../hypervisors/driver.js'
import { conduct, HostTap, type PartResult } from './conduct.js'
import { Exchanges } from './transcript.js'

t.setTimeout(120_000)

/** Conducts the contract on the cloud, whose driver or host a test has broken. */
async function resultsOf(
  t: Test,
  broken: (subject: Awaited<ReturnType<typeof openCloud>>) => Partial<ContractSubject> = () => ({}),
): Promise<ReadonlyMap<string, PartResult>> {
  const cloud = await openCloud(t)
  const subject: ContractSubject = { ...cloud, signal: never, lossMs: 100, ...broken(cloud) }
  const told: PartResult[] = []
  const results = await conduct({
    subject,
    tap: new HostTap(),
    exchanges: new Exchanges(text => text),
    onBegin: () => {},
    onResult: result => told.push(result),
  })
  t.same(told, results, 'each is told')
  return new Map(results.map(result => [result.part, result]))
}

const brokenIn = (results: ReadonlyMap<string, PartResult>): string[] =>
  [...results].filter(([, { state }]) => state !== 'held').map(([part]) => part)

t.test('a sound driver holds all of it', async t => {
  const results = await resultsOf(t)
  t.same(brokenIn(results), [])
  t.match(results.get('abilities/stop'), { title: 'stop (shutdown, powerOff, powerOn)', state: 'held' })
})

t.test('an ability that fails is named, and the others are tried all the same', async t => {
  const results = await resultsOf(t, ({ cloud }) => {
    cloud.failing = 'pause'
    return {}
  })
  t.match(brokenIn(results), ['abilities/pause'])
  t.match(results.get('abilities/pause')?.seen, /round 1: paused twice, resumed twice: .*task pause failed/)
})

t.test('what a driver leaves is seen by another account', async t => {
  const results = await resultsOf(t, ({ driver }) => ({ driver: withoutRemoval(driver) }))
  t.ok(brokenIn(results).includes('life'))
  t.match(results.get('life')?.seen, /removed twice: left: gc-run-e1-1/)
  t.match(results.get('cancelled')?.seen, /cancelled at command 1: left: gc-run-e1-1/)
})

t.test('an end that is not noticed, and an offer without its call, do not hold', async t => {
  const results = await resultsOf(t, ({ driver }) => ({
    end: async () => {},
    driver: { ...driver, abilities: placement => new Set([...driver.abilities(placement)].slice(1)) },
  }))
  t.same(brokenIn(results), ['abilities', 'loss'])
  t.match(results.get('abilities')?.seen, /attachDisk: what is offered is not what its abilities say/)
  t.match(results.get('loss')?.seen, /it was not noticed within 100 ms/)
})

t.test('a revert that reverts nothing does not hold', async t => {
  const marks = new Set<string>()
  const results = await resultsOf(t, () => ({
    inside: {
      untilUp: async () => {},
      mark: async (_, name) => void marks.add(name),
      isMarked: async (_, name) => marks.has(name),
    },
  }))
  t.same(brokenIn(results), ['abilities/revert'])
  t.match(results.get('abilities/revert')?.seen, /round 1: the marker is still there/)
})

t.test('what cannot be shown is not tried, with the reason', async t => {
  const results = await resultsOf(t, () => ({ hearsCommands: () => false }))
  t.same(brokenIn(results), ['cancelled', 'refused'])
  const notTried = { state: 'not-tried', seen: 'the commands of this driver pass unheard' }
  t.match([results.get('cancelled'), results.get('refused')], [notTried, notTried])
})

function withoutRemoval(driver: Driver): Driver {
  return {
    ...driver,
    instance: request => {
      const instance = driver.instance(request)
      instance.remove = async () => {}
      return instance
    },
  }
}
