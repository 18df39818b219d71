import t from 'tap'
import { Admission } from './admission.js'
import type { Job } from './queue.js'

const capacity = { guests: 4, vcpus: 4, memoryBytes: 8 * 2 ** 30, locks: ['vlan'] }
const none = { vcpus: 0, memoryBytes: 0, locks: [] }

function jobOn(id: string, demand: Partial<Job['offers'][0]['demand']>, hosts = ['a']): Job {
  return { id, estimateMs: 1000, offers: hosts.map(host => ({ host, demand: { ...none, ...demand } })) }
}

function waiting(jobs: readonly Job[], parallel = 8): readonly string[] {
  const hosts = ['a', 'b'].map(id => ({ id, capacity }))
  const admission = new Admission({ hosts, parallel, reserveAfterMs: 60_000 })
  for (const [index, job] of jobs.entries()) {
    admission.submit(job, index)
  }
  admission.admit(100)
  return admission.waits().map(({ job, what, others, sinceMs }) => `${sinceMs} ${job.id}+${others}: ${what}`)
}

t.test(
  'each dimension that lacks is named, and one is named for all that wait for the same hosts',
  async t => {
    t.same(waiting([jobOn('x', { vcpus: 3 }), jobOn('y', { vcpus: 2 }), jobOn('z', { vcpus: 2 })]), [
      '1 y+1: room on a (3 of 4 vCPUs in use)',
    ])
    t.same(waiting([jobOn('x', { memoryBytes: 6 * 2 ** 30 }), jobOn('y', { memoryBytes: 4 * 2 ** 30 })]), [
      '1 y+0: room on a (2GiB of 8GiB memory left)',
    ])
    t.same(waiting([jobOn('x', { locks: ['vlan'] }), jobOn('y', { locks: ['vlan'] })]), [
      '1 y+0: room on a (the lock vlan is taken)',
    ])
    t.same(
      waiting([
        jobOn('x', { vcpus: 4 }),
        jobOn('y', { vcpus: 4 }, ['b']),
        jobOn('z', { vcpus: 1 }, ['a', 'b']),
      ]),
      ['2 z+0: room on a (4 of 4 vCPUs in use) or b (4 of 4 vCPUs in use)'],
    )
    t.same(waiting([jobOn('x', {}), jobOn('y', {})], 1), [
      '1 y+0: a place among the 1 environments that may run at once (--parallel)',
    ])
    t.same(waiting([jobOn('x', {})]), [], 'who runs waits for nothing')
  },
)
