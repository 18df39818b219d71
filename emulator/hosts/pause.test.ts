import { setTimeout as wait } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { type Client, connectThrough, eventually } from '../client.test.helper.js'
import type { EmulatedHostSpec } from '../spec.js'
import { addressOf, type Stand, stand, users } from './stand.test.helper.js'

t.jobs = 2

const pauseMs = 1500
/** Long enough for a guest that is not paused to boot, to shut down or to write much. */
const aroundMs = 1200

function vms(persona: string) {
  return [{ name: 'deb', guest: { persona, users }, hardware: { vcpus: 1, memoryBytes: 2 ** 29 } }]
}

async function started(t: Test, persona: string, more: Partial<EmulatedHostSpec> = {}) {
  const it = await stand(t, { vms: vms(persona), ...more })
  await it.run('virsh start deb')
  return it
}

/** One connection to the guest: it outlives a pause. */
async function guestOf(t: Test, it: Stand): Promise<Client> {
  const found = it.host.machine.name === 'kvm-1' ? await addressOf(it) : await neighbourOf(it)
  const guest = await connectThrough(it.client, it.host.machine, found)
  t.teardown(() => guest.end())
  return guest
}

/** The guest's address under Xen, where nobody but the bridge knows it. */
async function neighbourOf(it: Stand): Promise<string> {
  for (let tries = 0; tries < 200; tries++) {
    const [text] = await it.run('cat /proc/net/arp; sleep 0.05')
    const address = /10\.35\.15\.\d+/.exec(text)?.[0]
    if (address !== undefined) return address
  }
  throw new Error('the guest has no neighbours')
}

const loops = [
  // One that sleeps, and one that never does.
  "sh -c 'while :; do echo; sleep 0.02; done' >/tmp/ticks 2>&1 &",
  "sh -c 'n=0; while :; do n=$((n+1)); [ $((n % 50)) -eq 0 ] && echo; done' >/tmp/spins 2>&1 &",
].join('\n')
const counts = 'wc -c </tmp/ticks; wc -c </tmp/spins; cut -d" " -f1 /proc/uptime; date +%s%N'

async function look(guest: Client) {
  const { stdout } = await guest.run(counts)
  const [ticks = Number.NaN, spins = Number.NaN, upSec = Number.NaN, wallNs = Number.NaN] = stdout
    .split('\n')
    .map(Number)
  return { ticks, spins, upMs: upSec * 1000, wallMs: wallNs / 1e6 }
}

/** What the guest's loops and clocks did over a pause, and whether the loops went on afterwards. */
async function over(it: Stand, guest: Client) {
  await guest.run(loops)
  await wait(300)
  const at = performance.now()
  const before = await look(guest)
  await it.run('virsh suspend deb')
  await wait(pauseMs)
  await it.run('virsh resume deb')
  const after = await look(guest)
  const tookMs = performance.now() - at
  await wait(500)
  const later = await look(guest)
  return { before, after, later, awakeMs: tookMs - pauseMs }
}

t.test('under KVM a paused guest does nothing, and its clocks stand still', { buffered: true }, async t => {
  const it = await started(t, 'debian-12')
  const { before, after, later, awakeMs } = await over(it, await guestOf(t, it))
  t.ok(after.ticks - before.ticks <= awakeMs / 20 + 2, `${after.ticks - before.ticks} ticks`)
  t.ok(later.ticks > after.ticks, 'it ticks on')
  t.ok(later.spins > after.spins && before.spins > 0, 'it spins on')
  for (const clock of ['upMs', 'wallMs'] as const) {
    const passed = after[clock] - before[clock]
    t.ok(passed > 0 && passed <= awakeMs + 50, `${clock}: ${passed} of ${awakeMs + pauseMs}`)
  }
})

t.test('under Xen it does nothing, and its clocks run on', { buffered: true }, async t => {
  const it = await started(t, 'sles-15', { name: 'xen-1', persona: 'sles-xen-pv' })
  const { before, after, later, awakeMs } = await over(it, await guestOf(t, it))
  t.ok(after.ticks - before.ticks <= awakeMs / 20 + 3, `${after.ticks - before.ticks} ticks`)
  t.ok(later.ticks > after.ticks, 'it ticks on')
  for (const clock of ['upMs', 'wallMs'] as const) {
    t.ok(after[clock] - before[clock] >= pauseMs, `${clock}: ${after[clock] - before[clock]}`)
  }
})

t.test('a loop that never sleeps stands still as well', { buffered: true }, async t => {
  const it = await started(t, 'debian-12')
  const guest = await guestOf(t, it)
  await guest.run(loops)
  await guest.run('until [ -s /tmp/spins ]; do sleep 0.05; done')
  await it.run('virsh suspend deb; virsh snapshot-create-as deb one')
  await wait(aroundMs)
  await it.run('virsh snapshot-create-as deb two')
  const spins: string[] = []
  for (const name of ['one', 'two']) {
    await it.run(`virsh snapshot-revert deb ${name} --running`)
    const again = await connectThrough(it.client, it.host.machine, await addressOf(it))
    spins.push((await again.run('wc -c </tmp/spins')).stdout)
    again.end()
  }
  t.match(spins[0], /^[1-9]/)
  t.equal(spins[1], spins[0], 'from one look at its disk to the next, nothing was written')
})

t.test('a snapshot of a paused guest keeps it, and it may come back paused', { buffered: true }, async t => {
  const it = await started(t, 'debian-12')
  const identity = 'cat /proc/sys/kernel/random/boot_id; cut -d. -f1 /proc/uptime'
  const [before = '', upSec] = (await (await guestOf(t, it)).run(identity)).stdout.split('\n')
  await it.run('virsh suspend deb; virsh snapshot-create-as deb still')
  await it.run('virsh snapshot-revert deb still')
  t.equal((await it.run('virsh domstate deb'))[0], 'paused\n\n')
  // It has not gone on yet, and is kept as it is once more.
  await it.run('virsh snapshot-create-as deb again; virsh snapshot-revert deb again')
  t.equal((await it.run('virsh domstate deb'))[0], 'paused\n\n')
  await wait(aroundMs)
  await it.run('virsh resume deb')
  const [after, upAfterSec] = (await (await guestOf(t, it)).run(identity)).stdout.split('\n')
  t.equal(after, before, 'it is the same boot')
  t.ok(Number(upAfterSec) >= Number(upSec), 'of the same age and a little more')
})

t.test('what was asked of it while it was paused, it does afterwards', { buffered: true }, async t => {
  const it = await started(t, 'debian-12')
  await guestOf(t, it)
  await it.run('virsh suspend deb; virsh shutdown deb')
  await wait(aroundMs)
  t.strictSame(it.host.running(), ['deb'])
  await it.run('virsh resume deb')
  await eventually('its end', () => !it.host.running().includes('deb'))
})

t.test('a guest that is started paused has not booted', { buffered: true }, async t => {
  const it = await stand(t, { vms: vms('debian-12') })
  await it.run('virsh start --paused deb')
  await wait(aroundMs)
  const resumedAt = performance.now()
  await it.run('virsh resume deb')
  const { upMs } = await look(await guestOf(t, it))
  const sinceMs = performance.now() - resumedAt
  t.ok(upMs <= sinceMs + 50, `it is up for ${upMs} ms, ${sinceMs} ms after it was resumed`)
})

t.test('a restless guest goes on while it is paused', { buffered: true }, async t => {
  const it = await started(t, 'debian-12+restless')
  const guest = await guestOf(t, it)
  await guest.run(`sh -c 'while :; do cut -d" " -f1 /proc/uptime; sleep 0.02; done' >/tmp/times 2>&1 &`)
  await guest.run('until [ -s /tmp/times ]; do sleep 0.02; done')
  await it.run('virsh suspend deb')
  await wait(pauseMs)
  await it.run('virsh resume deb')
  await guest.run('sleep 0.1')
  const times = (await guest.run('cat /tmp/times')).stdout.trim().split('\n').map(Number)
  const [first = 0, last = 0] = [times[0], times.at(-1)]
  const longest = Math.max(...times.slice(1).map((time, place) => time - (times[place] ?? 0)))
  t.ok((last - first) * 1000 >= pauseMs, `it wrote from ${first} s to ${last} s`)
  t.ok(longest * 1000 < pauseMs, `and at no time stood still for longer than ${longest} s`)
})

t.test('one that never wakes does not answer once it was paused', { buffered: true }, async t => {
  const it = await started(t, 'debian-12+never-wakes')
  const guest = await guestOf(t, it)
  await it.run('virsh suspend deb; virsh resume deb')
  t.equal((await it.run('virsh domstate deb'))[0], 'running\n\n')
  const answered = await Promise.race([
    guest.run('echo up').then(() => true),
    wait(aroundMs).then(() => false),
  ])
  t.equal(answered, false)
})
