import t from 'tap'
import { connectThrough, eventually } from '../client.test.helper.js'
import { addressOf, stand, users } from './stand.test.helper.js'

t.jobs = 4

const clean = '/var/lib/libvirt/images/clean.qcow2'

const vms = [
  {
    name: 'deb',
    guest: { persona: 'debian-12', users },
    hardware: {
      vcpus: 1,
      memoryBytes: 2 ** 29,
      machine: 'q35',
      disk: 'virtio-blk',
      nic: 'virtio-net',
    },
    snapshots: ['sealed'],
    images: [clean],
  },
]

t.test('a guest is started, written to, and taken back to its clean state', { buffered: true }, async t => {
  const it = await stand(t, { vms })
  t.strictSame(await it.run('virsh start deb'), ["Domain 'deb' started\n\n", '', 0])
  t.strictSame(await it.run('virsh list'), [
    ' Id   Name   State\n----------------------\n 1    deb    running\n\n',
    '',
    0,
  ])
  const address = await addressOf(it)
  await it.inGuest(address, 'echo mark > /root/mark; mkdir /root/kept')
  const before = await it.inGuest(address, 'cat /proc/sys/kernel/random/boot_id')
  t.strictSame(await it.run('virsh snapshot-create-as deb live'), ['Domain snapshot live created\n', '', 0])
  await it.inGuest(address, 'rm /root/mark')
  t.strictSame(await it.run('virsh snapshot-revert deb live'), ['Domain snapshot live reverted\n\n', '', 0])
  await addressOf(it)
  t.equal(await it.inGuest(address, 'cat /root/mark; cat /proc/sys/kernel/random/boot_id'), `mark\n${before}`)
  await it.run('virsh snapshot-revert deb sealed --running --force')
  await addressOf(it)
  t.equal(await it.inGuest(address, 'ls -A /root | grep -c -e mark -e kept'), '0\n')
  t.not(await it.inGuest(address, 'cat /proc/sys/kernel/random/boot_id'), before)
  t.strictSame(await it.run('virsh domstate deb --reason'), ['running (from snapshot)\n\n', '', 0])
  t.match(it.host.most, { guests: 1, vcpus: 1, memoryBytes: 2 ** 29 })
})

t.test('what a guest wrote outlives its end, and is in copies of its disk', { buffered: true }, async t => {
  const it = await stand(t, { vms })
  await it.run('virsh start deb')
  await it.inGuest(await addressOf(it), 'echo mark > /root/mark')
  t.strictSame(await it.run('virsh shutdown deb'), ["Domain 'deb' is being shutdown\n\n", '', 0])
  await eventually('its end', () => !it.host.running().includes('deb'))
  t.strictSame(await it.run('virsh domstate deb --reason'), ['shut off (shutdown)\n\n', '', 0])
  const [xml] = await it.run('virsh dumpxml deb')
  t.match(xml, "<source file='/var/lib/libvirt/images/deb.qcow2'/>")
  await it.run('cp /var/lib/libvirt/images/deb.qcow2 /var/lib/libvirt/images/two.qcow2')
  await it.run(
    "virsh dumpxml deb | sed -e s/deb/two/ -e '/<uuid>/d' -e '/<mac /d' >two.xml; virsh define two.xml; virsh start two",
  )
  t.equal(await it.inGuest(await addressOf(it, 'two'), 'cat /root/mark'), 'mark\n')
  await it.run(`qemu-img create -f qcow2 -F qcow2 -b ${clean} /var/lib/libvirt/images/deb.qcow2`)
  await it.run('virsh start deb')
  t.equal(await it.inGuest(await addressOf(it), 'ls /root/mark 2>&1 | grep -c No'), '1\n')
})

t.test('a guest that stands still answers when it goes on', { buffered: true }, async t => {
  const it = await stand(t, { vms })
  await it.run('virsh start deb')
  const guest = await connectThrough(it.client, it.host.machine, await addressOf(it))
  t.strictSame(await it.run('virsh suspend deb; virsh domstate deb --reason'), [
    "Domain 'deb' suspended\n\npaused (user)\n\n",
    '',
    0,
  ])
  let answered = false
  const ran = guest.run('echo up').finally(() => {
    answered = true
  })
  t.strictSame(await it.run('sleep 0.3; echo meanwhile'), ['meanwhile\n', '', 0])
  t.equal(answered, false)
  await it.run('virsh resume deb')
  t.equal((await ran).stdout, 'up\n')
  guest.end()
})

t.test('what virsh does not know it refuses in its words', { buffered: true }, async t => {
  const { run } = await stand(t, { vms })
  // Each as the real virsh of libvirt 9 answers, asked of its test driver.
  for (const [command, stdout, stderr] of [
    ['foo', '', "error: unknown command: 'foo'\n"],
    ['domstate', '', "error: command 'domstate' requires <domain> option\n"],
    ['domstate deb --bogus', '', "error: command 'domstate' doesn't support option --bogus\n"],
    ['domstate deb extra more', '', "error: unexpected data 'extra'\n"],
    ['start nope', '\n', "error: failed to get domain 'nope'\n"],
    [
      'snapshot-dumpxml deb x',
      '\n',
      "error: Domain snapshot not found: no domain snapshot with matching name 'x'\n",
    ],
    ['domifaddr deb --source bogus', '\n', "error: Unknown data source 'bogus'\n"],
    ['define /nope', '\n', "error: Failed to open file '/nope': No such file or directory\n"],
    [
      'destroy deb',
      '\n',
      "error: Failed to destroy domain 'deb'\nerror: Requested operation is not valid: domain is not running\n",
    ],
  ] as const) {
    t.strictSame(await run(`virsh ${command}`), [stdout, stderr, 1], command)
  }
})

t.test('virsh of old knows less, and says it otherwise', { buffered: true }, async t => {
  const { run } = await stand(t, { vms, persona: 'rhel-5-xen-pv' })
  t.strictSame(await run('virsh list --all'), [
    ' Id Name                 State\n----------------------------------\n  0 Domain-0             running\n  - deb                  shut off\n\n',
    '',
    0,
  ])
  t.strictSame(await run('virsh dumpxml deb --inactive'), [
    '',
    "error: command 'dumpxml' doesn't support option --inactive\n",
    1,
  ])
  t.strictSame(await run('virsh snapshot-list deb'), ['', "error: unknown command: 'snapshot-list'\n", 1])
  t.strictSame(await run('virsh start deb && virsh domstate deb'), [
    'Domain deb started\n\nblocked\n\n',
    '',
    0,
  ])
  const [table] = await run('xm list')
  t.match(table, /^Name +ID Mem\(MiB\) VCPUs State +Time\(s\)\nDomain-0 +0 .*\ndeb +1 +512 +1 -b----/)
  t.strictSame(await run('xm frob'), ['', 'Error: Sub Command frob not found!\n', 1])
  t.equal((await run('cat /proc/xen/capabilities'))[0], 'control_d\n')
})

t.test('images of different systems never have the same digest', { buffered: true }, async t => {
  const digestOf = async (persona: string): Promise<string> => {
    const it = await stand(t, {
      vms: [{ name: 'deb', guest: { persona, users }, hardware: { vcpus: 1, memoryBytes: 2 ** 29 } }],
    })
    return (await it.run('sha256sum /var/lib/libvirt/images/deb.qcow2'))[0]
  }
  const [debian, again, rhel] = [
    await digestOf('debian-12'),
    await digestOf('debian-12'),
    await digestOf('rhel-9'),
  ]
  t.match(debian, /^[0-9a-f]{64} /)
  t.equal(again, debian)
  t.not(rhel, debian)
})
