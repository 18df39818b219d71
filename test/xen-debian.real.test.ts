/** A real Xen in software emulation, brought up once for all that is shown on it. Needs QEMU and about 3 GiB. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { execa } from 'execa'
import t, { type Test } from 'tap'
import { packageRoot } from '../src/config/package-root.js'
import type { GuestRequest, Instance } from '../src/hypervisors/driver.js'
import type { JournalEvent } from '../src/journal/events.js'
import { guestcertProcess } from './cli-process.js'
import { answersLikeItsCopy } from './xen-copy.js'
import { type LoggedIn, never, openXenHost, type XenHost } from './xen-host.js'
import { lentIsGivenBack } from './xen-lent.js'

const [program, ...args] = guestcertProcess
const file = join(packageRoot, 'fixtures/labs/xen-debian.yaml')
const bootId = 'cat /proc/sys/kernel/random/boot_id'
const mebibyte = 2 ** 20
/** Between two looks at something in the guest, which has no way to say that it is there. */
const lookEveryMs = 1_000
const appearsMs = 120_000

/** A quarter of an hour where little else runs, and twice as long where much does. */
t.setTimeout(3_400_000)

t.test('a real PV guest on a real Xen', async t => {
  t.teardown(() => execa(program, [...args, 'lab', 'down', 'xen'], { reject: false }))
  const up = await execa(program, [...args, 'lab', 'up', 'xen'], { reject: false })
  t.equal(up.exitCode, 0, up.stderr)
  t.match(up.stdout, /xen-1 +ssh -i \S+ -p 22825 root@127\.0\.0\.1 +SHA256:/)
  const xen = await openXenHost(t, file)
  const before = await stateOf(xen)

  await t.test('the shipped suites pass', async t => {
    const folder = t.testdir()
    const reports = join(folder, 'reports')
    const { exitCode, stdout } = await execa(program, [...args, 'run', file, '-o', reports], {
      reject: false,
    })
    t.equal(exitCode, 0, stdout)
    const run = join(reports, 'latest')
    const { environments } = JSON.parse(await readFile(join(run, 'summary.json'), 'utf8')) as {
      environments: { emulated: boolean }[]
    }
    t.match(environments, [{ emulated: false }])
    const journal = await readFile(join(run, 'journal.ndjson'), 'utf8')
    const events = journal
      .trim()
      .split('\n')
      .map(line => JSON.parse(line) as JournalEvent)
    const passed = events.flatMap(event =>
      event.type === 'test-ended' && event.verdict === 'pass' ? [event.test as string] : [],
    )
    // What the driver cannot do is left out of a plan, and not missed by its exit code.
    const lifecycle = ['pause', 'disk-hotplug', 'card-hotplug', 'snapshot', 'power']
    t.same(
      passed.filter(test => test.startsWith('lifecycle/')),
      lifecycle.map(test => `lifecycle/${test}`),
    )
    t.equal(passed.filter(test => test.startsWith('core/')).length, 12)

    await t.test('says on what it ran', async t => {
      t.match(journal, /"hypervisor":"Xen 4\.17/)
      t.match(journal, /software emulation/)
    })

    await t.test('leaves the console as evidence, from power-on, with every boot since', async t => {
      const files = await readdir(join(run, 'evidence'), { recursive: true })
      const consoles = files.filter(name => name.endsWith('console.log'))
      t.equal(consoles.length, 1)
      const console = await readFile(join(run, 'evidence', consoles[0] ?? ''), 'utf8')
      // Started, rebooted, shut down and started again.
      t.equal(console.match(/Linux version/g)?.length, 3)
    })

    await t.test('leaves the host as it was', async t => {
      t.same(await xen.driver.instances(never), [])
      t.match(await xen.driver.facts(never), { hypervisor: /^Xen 4\.17/, 'host machine': /QEMU/ })
      t.same(await stateOf(xen), before)
    })
  })

  await t.test('what the driver does besides', t => controlGuest(t, xen))
  await t.test('what a killed runner left is removed', t => killRunner(t, xen, before))
  await t.test('what a killed runner had paused of somebody’s is given back', t =>
    lentIsGivenBack(t, xen, file),
  )
  await t.test('and its captured copy answer alike, line by line', t => answersLikeItsCopy(t, file))

  const down = await execa(program, [...args, 'lab', 'down', 'xen'], { reject: false })
  t.match(down.stdout, /xen-debian is down/)
})

/** Xen's own logs of what it was told, the second since its first device; digests of clean disks, kept for the next run. */
const stays = /^(?:\/var\/log\/xen\/(?:xenstored-access|xen-hotplug)\.log|\/root\/\.guestcert\/digests )/

/** What must be there again when all is undone: domains, files, memory, devices. */
async function stateOf({ onHost }: XenHost): Promise<string[]> {
  const look = `xl list|sed 's/ .*//'
xl info|grep free_memory
find /etc/xen /var/lib/guestcert "$HOME" -type f -printf '%p %s %i %T@\\n'
find /var/log/xen /var/lib/xen -type f
losetup -a
ls /sys/class/net
xenstore-list /local/domain
ps -eo args|grep '^[^ ]*/xl '
:`
  const lines = (await onHost(`PATH=$PATH:/usr/sbin:/sbin;${look}`)).split('\n').filter(line => line !== '')
  return lines.filter(line => !stays.test(line)).sort()
}

/** Leaves its instance as a killed runner does: off, with a snapshot and an added disk. */
async function controlGuest(t: Test, xen: XenHost): Promise<void> {
  const { onHost } = xen
  const { prepared, request } = await prepareRoomForTwo(xen)
  const running = await prepared.start(never)
  let guest = await xen.logIn(running)
  t.teardown(() => guest.close())
  const first = await guest.run(bootId)
  t.match(first, /^[0-9a-f-]{36}$/)
  const timed = async <T>(what: string, work: Promise<T> | undefined): Promise<T | undefined> => {
    const startedAt = performance.now()
    const answer = await work
    t.comment(`${what}: ${Math.round(performance.now() - startedAt)} ms`)
    return answer
  }

  await t.test('vCPUs and memory are given and taken', async t => {
    t.equal(await guest.run('nproc'), '1')
    await timed('two vCPUs', running.setVcpus?.(2, never))
    // Debian has no rule that brings an added CPU up.
    const online = '/sys/devices/system/cpu/cpu1/online'
    await seen(guest, `test -e ${online}&&echo 1 >${online};nproc`, '2')
    await timed('one vCPU', running.setVcpus?.(1, never))
    t.equal(await guest.run('nproc'), '1')
    const memory = 'cat /sys/devices/system/xen_memory/xen_memory0/info/current_kb'
    await timed('200 MiB', running.setMemory?.(200 * mebibyte, never))
    t.equal(await guest.run(memory), String(200 * 1024))
    await timed('256 MiB', running.setMemory?.(256 * mebibyte, never))
    t.equal(await guest.run(memory), String(256 * 1024))
  })

  await t.test('reverted, it is what it was: the same boot, and what was written since is gone', async t => {
    const logInAgain = async (): Promise<void> => {
      guest = await xen.logIn(running)
    }
    await guest.close()
    await timed('snapshot', running.snapshot?.('clean', never))
    await logInAgain()
    const mark = 'mkdir -p /root/marker&&echo written >/root/marker/file&&sync&&cat /root/marker/file'
    t.equal(await guest.run(mark), 'written')
    t.equal(await guest.run(bootId), first, 'it ran on')
    await guest.close()
    await timed('revert', running.revert?.('clean', never))
    await logInAgain()
    t.equal(await guest.run(`${bootId};test -e /root/marker&&echo marker;:`), first)
    t.notOk(running.gone.aborted)
  })

  let last = first
  const bootsAnew = async (t: Test): Promise<void> => {
    guest = (await timed('reached', xen.logIn(running))) ?? guest
    const now = await guest.run(bootId)
    t.match(now, /^[0-9a-f-]{36}$/)
    t.not(now, last, 'another boot')
    last = now
  }

  await t.test('it may reboot by itself after that', async t => {
    const number = () => onHost(`PATH=$PATH:/usr/sbin:/sbin;xl domid ${request.instance};:`)
    const before = await number()
    await guest.run('systemd-run --on-active=1 systemctl reboot')
    await guest.close()
    // A connection to the old boot would only wait for its limit.
    await until(async () => ![before, ''].includes(await number()), 'no new domain')
    await bootsAnew(t)
  })

  await t.test('reset, it boots anew', async t => {
    await guest.close()
    await timed('reset', running.reset?.(never))
    await bootsAnew(t)
  })

  await t.test('a disk and a snapshot stay behind when nobody removes them', async t => {
    await running.attachDisk?.(mebibyte, never)
    await guest.close()
    await running.powerOff?.(never)
    t.notOk(running.gone.aborted)
    const files = await onHost(`ls /var/lib/guestcert/debian-xen|grep -F ${request.instance}`)
    t.match(files, /added-\d+\.img\n.*snapshot-clean\.save\n.*snapshot-clean\.xvda\.img\n.*xvda\.img\n/)
  })
}

/** The lab's guest can have one vCPU: another configuration of the same disk has room for a second one. */
async function prepareRoomForTwo(
  xen: XenHost,
): Promise<{ readonly prepared: Instance; readonly request: GuestRequest }> {
  const vm = '/tmp/room-for-two.cfg'
  await xen.onHost(`(cat /etc/xen/debian.cfg&&echo maxvcpus = 2) >${vm}`)
  const request = await xen.requestFor(`gc-control-${process.pid}-e1-1`, {
    vm,
    configuration: { name: 'room-for-two', mode: 'pv', vcpus: 1, memoryBytes: 256 * mebibyte },
  })
  const can = [...xen.driver.abilities(request.placement)].sort().join(' ')
  const expected = 'attach-disk attach-nic console pause reset revert set-memory set-vcpus snapshot stop'
  if (can !== expected) {
    throw new Error(`the driver can ${can}`)
  }
  return { prepared: await xen.driver.instance(request).prepare(never), request }
}

/** Waits until a command in the guest says something. */
async function seen(guest: LoggedIn, command: string, wanted: string): Promise<void> {
  await until(
    async () => (await guest.run(command)) === wanted,
    `in the guest, ${command} never said ${wanted}`,
  )
}

async function until(holds: () => Promise<boolean>, otherwise: string): Promise<void> {
  const startedAt = performance.now()
  while (!(await holds())) {
    if (performance.now() - startedAt > appearsMs) {
      throw new Error(otherwise)
    }
    await wait(lookEveryMs)
  }
}

/** Kills a runner in mid-pass, and cleans up what it and the guest above left. */
async function killRunner(t: Test, xen: XenHost, before: readonly string[]): Promise<void> {
  const text = await readFile(file, 'utf8')
  const limits = 'limits: { lease: 20s, leaseRenewal: 4s, leaseLook: 1s, '
  const folder = t.testdir({ 'lab.yaml': text.replace('limits: { ', limits) })
  const lab = join(folder, 'lab.yaml')
  const runner = spawn(program, [...args, 'run', lab, '--as', 'alice', '-o', join(folder, 'reports')], {
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  t.teardown(() => runner.kill('SIGKILL'))
  let told = ''
  runner.stdout.on('data', chunk => {
    told += String(chunk)
    if (/\bpass\b/.test(told)) {
      runner.kill('SIGKILL')
    }
  })
  const [, signal] = (await once(runner, 'close')) as [number | null, string | null]
  t.equal(signal, 'SIGKILL', told)
  t.match((await xen.driver.instances(never)).map(({ state }) => state === null).sort(), [false, true])

  const startedAt = performance.now()
  let said = ''
  do {
    const cleaned = await execa(program, [...args, 'lab', 'clean', lab], { reject: false })
    t.equal(cleaned.exitCode, 0, cleaned.stderr)
    said += cleaned.stdout
  } while (!/removed lease/.test(said) && performance.now() - startedAt < appearsMs)
  t.match(said, /removed gc-control-\S+ on xen-1: a configuration without a domain/)
  t.match(said, /removed gc-\d\S+ on xen-1: a domain/)
  t.match(said, /removed lease on xen-1: of alice/)
  await xen.onHost('rm /tmp/room-for-two.cfg')
  t.same(await stateOf(xen), before)
}
