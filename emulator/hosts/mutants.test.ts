import { setTimeout as wait } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { eventually } from '../client.test.helper.js'
import { personaFolder } from '../harness.test.helper.js'
import { startEmulatedHost } from './host.js'
import { Site, sharedFolder } from './site.js'
import { addressOf, type Stand, stand, standOn, users } from './stand.test.helper.js'

t.jobs = 3

const identity = 'cat /proc/sys/kernel/random/boot_id'
const file = `${sharedFolder}/mine.qcow2`

function vm(persona: string) {
  const hardware = { vcpus: 1, memoryBytes: 2 ** 29, disk: 'virtio-blk', nic: 'virtio-net' }
  return { name: 'deb', guest: { persona, users }, hardware, images: [file] }
}

async function started(
  t: Test,
  persona: string,
): Promise<Stand & { guest(command: string): Promise<string> }> {
  const it = await stand(t, { vms: [vm(persona)] })
  await it.run('virsh start deb')
  const address = await addressOf(it)
  return { ...it, guest: command => it.inGuest(address, command) }
}

const devices = 'ls /sys/block /sys/class/net | grep . | grep -v : | sort | tr "\\n" " "'
const plugBoth = [
  'qemu-img create -q -f raw /var/lib/libvirt/images/more.img 64M',
  `echo "<disk type='file' device='disk'><source file='/var/lib/libvirt/images/more.img'/><target dev='vdb' bus='virtio'/></disk>" >disk.xml`,
  `echo "<interface type='network'><source network='default'/><model type='virtio'/></interface>" >nic.xml`,
  'virsh attach-device deb disk.xml && virsh attach-device deb nic.xml',
].join(' && ')

for (const [persona, found] of [
  ['debian-12', 'eth0 eth1 lo vda vdb '],
  ['debian-12+blind-to-new-hardware', 'eth0 lo vda '],
] as const) {
  t.test(`${persona}: of a disk and a card that are plugged in`, { buffered: true }, async t => {
    const it = await started(t, persona)
    t.equal(await it.guest(devices), 'eth0 lo vda ')
    t.match(await it.run(plugBoth), { 2: 0 })
    t.equal(await it.guest(devices), found)
  })
}

for (const [persona, left] of [
  ['debian-12', '/var/tmp/before\n'],
  ['debian-12+scratch-outside-snapshots', '/var/tmp/after\n/var/tmp/before\n'],
] as const) {
  t.test(`${persona}: what is left after a revert`, { buffered: true }, async t => {
    const it = await started(t, persona)
    const before = await it.guest(`echo 1 >/var/tmp/before; ${identity}`)
    await it.run('virsh snapshot-create-as deb one')
    await it.guest('echo 1 >/var/tmp/after; echo 1 >/root/after')
    await it.run('virsh snapshot-revert deb one')
    await addressOf(it)
    t.equal(await it.guest('ls /var/tmp/* /root/after 2>/dev/null'), left)
    t.equal(await it.guest(identity), before)
  })
}

t.test('one that is deaf to its power button does not shut down', { buffered: true }, async t => {
  const it = await started(t, 'debian-12+deaf-to-power-button')
  await it.run('virsh shutdown deb')
  await wait(2 * 1000)
  t.equal(await it.guest('echo up'), 'up\n')
  await it.guest('poweroff')
  await eventually('its end', () => it.host.running().length === 0)
})

for (const [persona, isSame] of [
  ['debian-12', true],
  ['debian-12+restarts-when-moved', false],
] as const) {
  t.test(`${persona}: which boot it is after a move`, { buffered: true }, async t => {
    const site = new Site()
    const start = async (name: string): Promise<Stand> => {
      const host = await startEmulatedHost(
        { name, persona: 'rhel-9-kvm', personaFolders: [personaFolder], users, vms: [vm(persona)] },
        site,
      )
      t.teardown(() => host.close())
      return standOn(t, host)
    }
    const [one, two] = [await start('kvm-1'), await start('kvm-2')]
    await one.run(`virsh dumpxml deb | sed -e 's#>deb<#>mine<#' -e 's#/var/lib/libvirt/images/deb#${sharedFolder}/mine#' -e '/<uuid>/d' -e '/<mac /d' >mine.xml
      virsh define mine.xml && virsh start mine`)
    const before = await one.inGuest(await addressOf(one, 'mine'), `${identity}; echo kept >/root/kept; sync`)
    t.match(await one.run('virsh migrate --live mine qemu+ssh://kvm-2/system'), { 2: 0 })
    const address = await addressOf(two, 'mine')
    const after = await two.inGuest(address, identity)
    t.equal(after === before, isSame)
    t.equal(await two.inGuest(address, 'cat /root/kept'), 'kept\n')
  })
}
