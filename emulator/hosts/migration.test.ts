import t, { type Test } from 'tap'
import { connectThrough } from '../client.test.helper.js'
import { personaFolder } from '../harness.test.helper.js'
import { startEmulatedHost } from './host.js'
import { Site, sharedFolder } from './site.js'
import { addressOf, type Stand, standOn, users } from './stand.test.helper.js'

t.jobs = 4

const clean = `${sharedFolder}/clean.qcow2`

/** Two hosts of one lab; the domain `deb` is on both, with its disk in the folder that both see. */
async function pair(t: Test): Promise<{ one: Stand; two: Stand }> {
  const site = new Site()
  const start = async (name: string): Promise<Stand> => {
    const host = await startEmulatedHost(
      {
        name,
        persona: 'rhel-9-kvm',
        personaFolders: [personaFolder],
        users,
        vms: [
          {
            name: 'deb',
            guest: { persona: 'debian-12', users },
            hardware: { vcpus: 2, memoryBytes: 2 ** 29 },
            images: [clean],
          },
        ],
      },
      site,
    )
    t.teardown(() => host.close())
    return standOn(t, host)
  }
  return { one: await start('kvm-1'), two: await start('kvm-2') }
}

/** Defines and starts a domain with a disk of its own where both hosts see it. */
const shared = [
  `qemu-img create -q -f qcow2 -F qcow2 -b ${clean} ${sharedFolder}/mine.qcow2`,
  `virsh dumpxml deb | sed -e 's/>deb</>mine</' -e 's#/var/lib/libvirt/images/deb#${sharedFolder}/mine#' -e '/<uuid>/d' -e '/<mac /d' >mine.xml`,
  'virsh define mine.xml && virsh start mine',
].join('\n')

t.test('a guest moves to another host and goes on', { buffered: true }, async t => {
  const { one, two } = await pair(t)
  await one.run(shared)
  const address = await addressOf(one, 'mine')
  const identity = 'cat /proc/sys/kernel/random/boot_id'
  const before = await one.inGuest(address, `echo mark >/root/mark; sync; ${identity}`)
  const upBefore = Number.parseFloat(await one.inGuest(address, 'cat /proc/uptime'))
  const open = await connectThrough(one.client, one.host.machine, address)
  t.strictSame(
    await one.run('virsh migrate --live --persistent --undefinesource mine qemu+ssh://kvm-2/system'),
    ['\n', '', 0],
  )
  await open.lost
  t.strictSame((await one.run('virsh list --all --name'))[0].trim(), 'deb')
  t.strictSame(await two.run('virsh domstate mine --reason'), ['running (migrated)\n\n', '', 0])
  t.match((await two.run('virsh dominfo mine'))[0], /Persistent: +yes/)
  t.equal(await addressOf(two, 'mine'), address)
  t.equal(await two.inGuest(address, `cat /root/mark; ${identity}`), `mark\n${before}`)
  t.ok(Number.parseFloat(await two.inGuest(address, 'cat /proc/uptime')) > upBefore, 'its clock goes on')
  t.strictSame([one.host.running(), two.host.running()], [[], ['mine']])
  t.match(
    [one.host.most, two.host.most],
    [
      { guests: 1, vcpus: 2 },
      { guests: 1, vcpus: 2 },
    ],
  )
  await two.run('virsh reset mine')
  await addressOf(two, 'mine')
  t.equal(await two.inGuest(address, 'cat /root/mark'), 'mark\n', 'its disk came along')
  await two.run('virsh destroy mine')
  t.strictSame(await two.run('virsh domstate mine'), ['shut off\n\n', '', 0])
})

t.test('virsh on one host brings it back from the other', { buffered: true }, async t => {
  const { one, two } = await pair(t)
  await one.run(shared)
  await one.run('virsh migrate --live --persistent --undefinesource mine qemu+ssh://kvm-2/system')
  t.match((await one.run('virsh -c qemu+ssh://root@kvm-2/system list'))[0], /mine +running/)
  t.strictSame(
    await one.run(
      'virsh -c qemu+ssh://kvm-2/system migrate --live --persistent --undefinesource mine qemu:///system',
    ),
    ['\n', '', 0],
  )
  t.strictSame([one.host.running(), two.host.running()], [['mine'], []])
  const [, stderr, code] = await one.run('virsh -c qemu+ssh://kvm-3/system list')
  t.match(stderr, /^error: failed to connect to the hypervisor\nerror: .*Could not resolve hostname kvm-3/)
  t.equal(code, 1)
})

t.test('without the options it stays defined, and is of the moment there', { buffered: true }, async t => {
  const { one, two } = await pair(t)
  await one.run(shared)
  await addressOf(one, 'mine')
  t.match(await one.run('virsh migrate --live mine qemu+ssh://root@kvm-2/system'), ['\n', '', 0])
  t.strictSame(await one.run('virsh domstate mine --reason'), ['shut off (migrated)\n\n', '', 0])
  await two.run('virsh reset mine')
  t.match((await two.run('virsh dominfo mine'))[0], /State: +running[\s\S]*Persistent: +no/)
  t.match(await two.run('virsh destroy mine && virsh list --all --name'), [/destroyed\n\ndeb\n/, '', 0])
})

t.test('what cannot be moved stays where it is', { buffered: true }, async t => {
  const { one, two } = await pair(t)
  const migrate = async (words: string): Promise<string> =>
    (await one.run(`virsh migrate --live ${words}`))[1]
  t.match(await migrate('deb qemu+ssh://kvm-2/system'), 'domain is not running')
  await one.run('virsh start deb')
  const address = await addressOf(one)
  t.equal(
    await migrate('deb qemu+ssh://nowhere/system'),
    'error: Cannot recv data: ssh: Could not resolve hostname nowhere: Name or service not known: Connection reset by peer\n',
  )
  t.match(
    await migrate('deb qemu+ssh://kvm-2/system'),
    'error: Unsafe migration: Migration without shared storage is unsafe\n',
  )
  t.match(await migrate('deb qemu+ssh://kvm-1/system --unsafe'), 'migrate guest to the same host')
  await two.run('virsh start deb')
  t.match(await migrate('deb qemu+ssh://kvm-2/system --copy-storage-all'), "domain 'deb' is already active")
  await two.run('virsh destroy deb')
  await one.run('virsh snapshot-create-as deb s')
  t.match(
    await migrate('deb qemu+ssh://kvm-2/system --copy-storage-all'),
    'Requested operation is not valid: cannot migrate domain with 1 snapshots',
  )
  await one.run('virsh snapshot-delete deb s')
  await one.inGuest(address, 'echo copied >/root/mark')
  const { host, port } = two.host.machine
  t.match(
    await migrate(`deb qemu+ssh://root@${host}:${port + 1}/system --copy-storage-all`),
    'Cannot recv data',
  )
  t.equal(await migrate(`deb qemu+ssh://root@${host}:${port}/system --copy-storage-all`), '')
  await two.run('virsh reset deb')
  await addressOf(two)
  t.equal(await two.inGuest(address, 'cat /root/mark'), 'copied\n')
})
