import t, { type Test } from 'tap'
import { clientKey, eventually } from '../client.test.helper.js'
import { personaFolder } from '../harness.test.helper.js'
import { addressOf, type Stand, stand } from './stand.test.helper.js'

t.jobs = 4

const users = [{ name: 'root', authorizedKeys: [clientKey.public] }]

async function running(t: Test, hardware = {}): Promise<Stand & { address: string }> {
  const it = await stand(t, {
    vms: [
      {
        name: 'deb',
        guest: { persona: 'debian-12', users },
        hardware: { vcpus: 1, memoryBytes: 2 ** 29, disk: 'virtio-blk', nic: 'virtio-net', ...hardware },
      },
    ],
  })
  await it.run('virsh start deb')
  return { ...it, address: await addressOf(it) }
}

const file = '/var/lib/libvirt/images/added.qcow2'
const disk = (target: string, bus: string): string =>
  `<disk type='file' device='disk'><driver name='qemu' type='qcow2'/><source file='${file}'/><target dev='${target}' bus='${bus}'/><serial>gc0123456789abcd</serial></disk>`
const nic = `<interface type='network'><mac address='52:54:00:aa:bb:cc'/><source network='default'/><model type='virtio'/></interface>`
const say = (text: string, path: string): string => `echo "${text}" >${path}`

t.test('a Linux guest sees a disk come and go, and what is on it stays', { buffered: true }, async t => {
  const it = await running(t)
  const attach = `qemu-img create -q -f qcow2 ${file} 1G; ${say(disk('vdb', 'virtio'), 'disk.xml')}; virsh attach-device deb disk.xml`
  t.strictSame(await it.run(attach), ['Device attached successfully\n\n', '', 0])
  const look =
    'cat /sys/block/vdb/size /sys/block/vdb/serial; echo; grep vdb /proc/partitions; readlink /dev/disk/by-id/virtio-gc0123456789abcd; dmesg | tail -n 1'
  t.match(
    await it.inGuest(it.address, look),
    /^2097152\ngc0123456789abcd\n 252 +16 +1048576 vdb\n\.\.\/\.\.\/vdb\n\[.*\[vdb\] 2097152 512-byte logical blocks \(1\.07 GB\/1\.00 GiB\)\n$/,
  )
  t.match(
    await it.inGuest(it.address, 'lsblk -d -n -o NAME,SIZE,SERIAL'),
    /^vda +8G *\nvdb +1G gc0123456789abcd\n$/,
  )
  await it.inGuest(it.address, 'printf mark | dd of=/dev/vdb bs=1 seek=1000000 conv=notrunc')
  t.strictSame(await it.run('virsh detach-device deb disk.xml'), ['Device detached successfully\n\n', '', 0])
  t.equal(await it.inGuest(it.address, 'ls /sys/block; ls /dev/vdb /dev/disk 2>/dev/null'), 'vda\n')
  t.strictSame(await it.run('virsh detach-device deb disk.xml'), [
    '\n',
    'error: Failed to detach device from disk.xml\nerror: operation failed: no matching device was found\n',
    1,
  ])
  await it.run('virsh attach-device deb disk.xml')
  t.equal(await it.inGuest(it.address, 'dd if=/dev/vdb bs=1 skip=1000000 count=4 2>/dev/null'), 'mark')
  t.match((await it.run('virsh domblklist deb'))[0], /vdb +\/var\/lib\/libvirt\/images\/added\.qcow2/)
  await it.run('virsh reset deb')
  await addressOf(it)
  t.match(await it.inGuest(it.address, 'cat /sys/block/vdb/size'), '2097152', 'the next boot finds it')
})

t.test('what cannot be plugged is refused in libvirt\u2019s words', { buffered: true }, async t => {
  const it = await running(t)
  const attach = async (xml: string): Promise<string> =>
    (await it.run(`${say(xml, 'x.xml')}; virsh attach-device deb x.xml`))[1]
  t.match(await attach(disk('vdb', 'virtio')), /Cannot access storage file '.*added.qcow2'.*: No such file/)
  await it.run(`qemu-img create -q -f qcow2 ${file} 1G`)
  t.match(
    await attach(disk('sdb', 'sata')),
    /Operation not supported: disk bus 'sata' cannot be hotplugged\./,
  )
  t.match(await attach(disk('vda', 'virtio')), 'operation failed: target vda already exists')
  t.match(await attach("<sound model='ich6'/>"), "live attach of device 'sound' is not supported")
  await it.run('virsh destroy deb')
  await it.run(say(disk('vdb', 'virtio'), 'x.xml'))
  t.match((await it.run('virsh attach-device deb x.xml --live'))[1], 'domain is not running')
  t.strictSame(
    await it.run(
      `${say(disk('vdb', 'virtio'), 'x.xml')}; virsh attach-device deb x.xml --config; virsh start deb`,
    ),
    ["Device attached successfully\n\nDomain 'deb' started\n\n", '', 0],
  )
  await addressOf(it)
  t.match(
    await it.inGuest(it.address, 'ls /sys/block'),
    'vda\nvdb\n',
    'a second disk is there from the start',
  )
})

t.test('a Linux guest sees a card come and go', { buffered: true }, async t => {
  const it = await running(t)
  const own = await it.inGuest(it.address, 'cat /sys/class/net/eth0/address')
  await it.run(`${say(nic, 'nic.xml')}; virsh attach-device deb nic.xml`)
  t.equal(await it.inGuest(it.address, 'cat /sys/class/net/eth*/address'), `${own}52:54:00:aa:bb:cc\n`)
  t.match(await it.inGuest(it.address, 'ip -o link'), /3: eth1: .* link\/ether 52:54:00:aa:bb:cc brd/)
  t.match((await it.run('virsh domiflist deb'))[0], '52:54:00:aa:bb:cc')
  await it.run('virsh detach-device deb nic.xml')
  t.equal(await it.inGuest(it.address, 'ls /sys/class/net'), 'eth0\nlo\n')
})

t.test('vCPUs and memory change while a guest runs', { buffered: true }, async t => {
  const it = await running(t, { vcpus: 4 })
  await it.run('virsh destroy deb; virsh setvcpus deb 2 --config; virsh start deb')
  await addressOf(it)
  const count = 'grep -c ^processor /proc/cpuinfo; cat /sys/devices/system/cpu/online; nproc'
  t.equal(await it.inGuest(it.address, count), '2\n0-1\n2\n')
  t.strictSame(await it.run('virsh setvcpus deb 3 --live'), ['\n', '', 0])
  t.match(it.host.most, { vcpus: 4 })
  t.equal(await it.inGuest(it.address, `cat /sys/devices/system/cpu/present; ${count}`), '0-2\n2\n0-1\n2\n')
  t.equal(
    await it.inGuest(it.address, `echo 1 >/sys/devices/system/cpu/cpu2/online; ${count}`),
    '3\n0-2\n3\n',
    'Debian leaves it to its administrator to take a new processor into use',
  )
  t.strictSame(await it.run('virsh vcpucount deb --live; virsh vcpucount deb --live --maximum'), [
    '3\n\n4\n\n',
    '',
    0,
  ])
  t.strictSame(await it.run('virsh setvcpus deb 5 --live'), [
    '\n',
    'error: invalid argument: requested vcpus is greater than max allowable vcpus for the live domain: 5 > 4\n',
    1,
  ])
  t.match(
    (await it.run('virsh setvcpus deb 1 --live'))[1],
    /unsupported configuration: failed to find appropriate/,
  )
  const total = async (): Promise<number> =>
    Number(/MemTotal: +(\d+) kB/.exec(await it.inGuest(it.address, 'cat /proc/meminfo'))?.[1])
  const before = await total()
  t.strictSame(await it.run('virsh setmem deb 256MiB --live'), ['\n', '', 0])
  t.equal(before - (await total()), 256 * 1024)
  t.match((await it.run('virsh dominfo deb'))[0], /Max memory: +524288 KiB\nUsed memory: +262144 KiB/)
  await it.run('virsh setmem deb 524288')
  t.equal(await total(), before)
  t.match(
    (await it.run('virsh setmem deb 1GiB'))[1],
    'invalid argument: cannot set memory higher than max memory',
  )
})

t.test('a Linux guest notes an NMI that nothing explains', { buffered: true }, async t => {
  const it = await running(t)
  t.strictSame(await it.run('virsh inject-nmi deb'), ['\n', '', 0])
  t.match(
    await it.inGuest(it.address, 'dmesg | tail -n 2'),
    /Uhhuh\. NMI received for unknown reason 30 on CPU 0\.\n.*Dazed and confused, but trying to continue\n$/,
  )
})

t.test('older libvirt has less of this', { buffered: true }, async t => {
  const old = { vms: [], persona: 'rhel-5-kvm', personaFolders: [personaFolder] }
  const it = await stand(t, {
    ...old,
    vms: [
      { name: 'deb', guest: { persona: 'rhel-5.11', users }, hardware: { vcpus: 2, memoryBytes: 2 ** 29 } },
    ],
  })
  await it.run('virsh start deb')
  await eventually('its start', () => it.host.running().includes('deb'))
  t.strictSame(await it.run('virsh setvcpus deb 1 --live'), [
    '',
    "error: command 'setvcpus' doesn't support option --live\n",
    1,
  ])
  t.match((await it.run('virsh setvcpus deb 3'))[1], "error: Too many virtual CPU's.")
  t.match((await it.run('virsh setvcpus deb 1'))[1], 'cannot change vcpu count of this domain')
  t.strictSame(await it.run('virsh inject-nmi deb'), ['', "error: unknown command: 'inject-nmi'\n", 1])
  t.strictSame(await it.run('virsh setmem deb 262144; virsh dominfo deb | grep Used'), [
    '\nUsed memory:    262144 kB\n',
    '',
    0,
  ])
})

t.test('a paravirtual guest of Xen calls a disk as its host does', { buffered: true }, async t => {
  const it = await stand(t, {
    persona: 'rhel-5-xen-pv',
    vms: [
      { name: 'pv', guest: { persona: 'rhel-5.11', users }, hardware: { vcpus: 2, memoryBytes: 2 ** 29 } },
    ],
  })
  await it.run('virsh start pv; dd if=/dev/zero of=/tmp/more.img bs=1024 count=2048 2>/dev/null')
  await eventually('its boot', () => it.host.running().includes('pv'))
  let address = ''
  for (let tries = 0; address === '' && tries < 100; tries++) {
    ;[address] = await it.run("sleep 0.05; sed -n '2s/ .*//p' /proc/net/arp")
  }
  const xml =
    "<disk type='file' device='disk'><driver name='file'/><source file='/tmp/more.img'/><target dev='xvdq'/></disk>"
  t.strictSame(await it.run(`${say(xml, 'x.xml')}; virsh attach-device pv x.xml`), [
    'Device attached successfully\n\n',
    '',
    0,
  ])
  t.match(await it.inGuest(address.trim(), 'cat /proc/partitions'), / 202 +256 +2048 xvdq\n$/)
  t.strictSame(await it.run('virsh setvcpus pv 1'), ['\n', '', 0])
  t.equal(await it.inGuest(address.trim(), 'grep -c ^processor /proc/cpuinfo'), '1\n')
  t.match((await it.run('virsh setvcpus pv 3'))[1], "Too many virtual CPU's.")
})
