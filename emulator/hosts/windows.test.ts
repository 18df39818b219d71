import { setTimeout as wait } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { connectThrough, eventually } from '../client.test.helper.js'
import { addressOf, type Stand, stand, users } from './stand.test.helper.js'

t.jobs = 3

const clean = '/var/lib/libvirt/images/clean.qcow2'
const windowsUsers = users.map(user => ({ ...user, name: 'Administrator' }))

async function running(
  t: Test,
): Promise<Stand & { address: string; guest(command: string): Promise<string> }> {
  const it = await stand(t, {
    vms: [
      {
        name: 'win',
        guest: { persona: 'windows-2022', users: windowsUsers },
        hardware: { vcpus: 2, memoryBytes: 2 ** 31, disk: 'virtio-blk', nic: 'virtio-net' },
        images: [clean],
      },
    ],
  })
  await it.run('virsh start win')
  const address = await addressOf(it, 'win')
  return { ...it, address, guest: command => it.inGuest(address, command, 'Administrator') }
}

const boots = 'wmic os get LastBootUpTime /value'
const mark = 'type C:\\mark.txt 2>nul & reg query HKLM\\SOFTWARE\\Mark /v Kept 2>nul & echo done'
const write = 'echo mark>C:\\mark.txt& reg add HKLM\\SOFTWARE\\Mark /v Kept /d yes /f'
const unexpected = 'wevtutil qe System /q:"*[System[(EventID=6008)]]" /f:text'

t.test(
  'what a Windows guest wrote outlives its end, and is in copies of its disk',
  { buffered: true },
  async t => {
    const it = await running(t)
    await it.guest(write)
    await it.run('virsh shutdown win')
    await eventually('its end', () => !it.host.running().includes('win'))
    await it.run('virsh start win')
    await addressOf(it, 'win')
    t.match(await it.guest(mark), /mark[\s\S]*Kept +REG_SZ +yes[\s\S]*done/)
    t.equal(await it.guest(unexpected), '', 'it was shut down in order')
    await it.run('virsh destroy win; virsh start win')
    await addressOf(it, 'win')
    t.match(await it.guest(mark), /mark[\s\S]*yes/)
    t.match(await it.guest(unexpected), /6008/, 'it notes that its power was cut')
    await it.run('virsh reset win')
    await addressOf(it, 'win')
    t.match(await it.guest(mark), /mark[\s\S]*yes/)
    await it.run('virsh destroy win; cp /var/lib/libvirt/images/win.qcow2 /var/lib/libvirt/images/two.qcow2')
    await it.run(
      `qemu-img create -q -f qcow2 -F qcow2 -b ${clean} /var/lib/libvirt/images/win.qcow2; virsh start win`,
    )
    await addressOf(it, 'win')
    t.equal(await it.guest(mark), 'done\r\n', 'an overlay begins as its base was left')
    await it.run('virsh destroy win; cp /var/lib/libvirt/images/two.qcow2 /var/lib/libvirt/images/win.qcow2')
    await it.run('virsh start win')
    await addressOf(it, 'win')
    t.match(await it.guest(mark), /mark[\s\S]*yes/, 'a copy has what was written')
  },
)

t.test('a snapshot of a Windows guest that runs is the same boot again', { buffered: true }, async t => {
  const it = await running(t)
  await it.guest(write)
  const before = await it.guest(boots)
  t.strictSame(await it.run('virsh snapshot-create-as win live'), ['Domain snapshot live created\n', '', 0])
  await it.guest('del C:\\mark.txt& reg delete HKLM\\SOFTWARE\\Mark /f')
  t.equal(await it.guest(mark), 'done\r\n')
  await it.run('virsh destroy win; virsh start win')
  await addressOf(it, 'win')
  t.not(await it.guest(boots), before)
  await it.run('virsh snapshot-revert win live')
  await addressOf(it, 'win')
  t.match(await it.guest(mark), /mark[\s\S]*yes/)
  t.equal(await it.guest(boots), before)
  t.equal(await it.guest(unexpected), '', 'going back is no boot')
})

t.test('a Windows guest sees disks, cards and processors come and go', { buffered: true }, async t => {
  const it = await running(t)
  const file = '/var/lib/libvirt/images/added.qcow2'
  const disk = `<disk type='file' device='disk'><driver name='qemu' type='qcow2'/><source file='${file}'/><target dev='vdb' bus='virtio'/><serial>gc0123456789abcd</serial></disk>`
  const nic = `<interface type='network'><mac address='52:54:00:aa:bb:cc'/><source network='default'/><model type='virtio'/></interface>`
  await it.run(`qemu-img create -q -f qcow2 ${file} 1G; echo "${disk}" >d.xml; echo "${nic}" >n.xml`)
  const disks = 'wmic diskdrive get Index,SerialNumber,Size /format:csv'
  const cards = 'wmic nic get MACAddress,NetConnectionID /format:csv'
  const [diskBefore, cardBefore] = [await it.guest(disks), await it.guest(cards)]
  await it.run('virsh attach-device win d.xml; virsh attach-device win n.xml')
  t.match(await it.guest(disks), /,1,gc0123456789abcd,1069286400\r/)
  t.match(await it.guest(cards), /,52:54:00:AA:BB:CC,Ethernet 2\r/)
  const drives = await it.guest(`wmic path Win32_PnPEntity where "PNPClass='DiskDrive'" get DeviceID /value`)
  t.equal(drives.match(/DeviceID=/g)?.length, 2)
  await it.run('virsh detach-device win d.xml; virsh detach-device win n.xml')
  t.equal(await it.guest(disks), diskBefore)
  t.equal(await it.guest(cards), cardBefore)
})

t.test(
  'a Windows guest that is paused does nothing, and goes on as the same boot',
  { buffered: true },
  async t => {
    const it = await running(t)
    const before = await it.guest(boots)
    const guest = await connectThrough(it.client, it.host.machine, it.address, 'Administrator')
    t.teardown(() => guest.end())
    let ended = false
    const slept = guest.run('ping -n 6 127.0.0.1').finally(() => {
      ended = true
    })
    await wait(200)
    await it.run('virsh suspend win')
    await wait(7000)
    t.equal(ended, false)
    await it.run('virsh resume win')
    await slept
    t.equal(await it.guest(boots), before)
  },
)
