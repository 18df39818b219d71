import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Test } from 'tap'
import { registrationDigits } from '../src/config/registration.js'
import type { JournalEvent } from '../src/journal/events.js'
import { pairingsOf, statementAbout } from '../src/record/ledger/entries.js'
import type { SampleRecord } from '../src/record/ledger/record.test.fixture.js'
import { harness, sampleRun } from '../src/record/sample.test.fixture.js'
import { storeRun } from './stored-run.js'

/** The folder of a run of the sample's pairing that a record has registered; it is removed with the test. */
export async function registeredRun(
  t: Pick<Test, 'teardown'>,
  record: SampleRecord,
  nonce: string,
): Promise<string> {
  const leftOut = [{ test: 'lifecycle/pause', kind: 'unable', why: 'the host has no such ability' }] as const
  const { plan, events } = sampleRun({ environment: { leftOut } })
  const registration = await record.add(
    'registration',
    statementAbout('registration', [], {
      at: '2026-11-22T10:14:00.000Z',
      nonce,
      planDigest: plan.digest,
      planExpected: plan.expected,
      harnessDigest: harness,
      pairings: pairingsOf(plan),
    }),
    'a',
  )
  const { leaf } = registration
  const run = `20261122-101500-${leaf.slice(0, registrationDigits)}`
  const journal = events.map(
    (event): JournalEvent =>
      event.type === 'run-opened'
        ? { ...event, run, certify: { registration: leaf, harnessDigest: harness } }
        : event,
  )
  const folder = join(record.folder, '..', `${record.folder.split('/').at(-1)}-${run}`)
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  await storeRun(folder, plan, journal)
  return folder
}
