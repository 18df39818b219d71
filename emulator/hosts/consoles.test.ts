import t, { type Test } from 'tap'
import { eventually } from '../client.test.helper.js'
import type { EmulatedHostSpec } from '../spec.js'
import { addressOf, type Stand, stand, users } from './stand.test.helper.js'

t.jobs = 3

const log = '/var/log/libvirt/qemu/deb.console.log'
type Faults = NonNullable<NonNullable<EmulatedHostSpec['vms']>[number]['guest']['faults']>

async function withConsole(
  t: Test,
  port: string,
  faults: Faults = {},
  persona = 'debian-12',
): Promise<Stand> {
  const it = await stand(t, {
    vms: [
      {
        name: 'deb',
        guest: { persona, users, faults },
        hardware: { vcpus: 1, memoryBytes: 2 ** 29, disk: 'virtio-blk', nic: 'virtio-net' },
      },
    ],
  })
  await it.run(
    `virsh dumpxml deb | sed -e '/<console/,/<\\/console>/d' -e "s#<serial type='pty'>#${port}#" >deb.xml; virsh define deb.xml`,
  )
  await it.run('virsh start deb')
  return it
}

const logged = `<serial type='pty'><log file='${log}' append='on'/>`
const toFile = `<serial type='file'><source path='${log}'/>`

t.test('a serial port is logged from power-on to the last words', { buffered: true }, async t => {
  const it = await withConsole(t, logged)
  const address = await addressOf(it)
  const [boot] = await it.run(`cat ${log}`)
  t.match(boot, /^\[ {4}0\.000000\] Linux version 6\.1\.0-56-cloud-amd64/)
  t.match(boot, /\r\n\[ .*smp: Brought up 1 node, 1 CPU\r\n/)
  t.match(boot, /\r\ndeb login: $/)
  await it.inGuest(
    address,
    'echo hello >/dev/ttyS0; echo "<7>for those who debug" >/dev/kmsg; echo "<2>from a program" >/dev/kmsg',
  )
  t.match((await it.run(`cat ${log}`))[0], /login: hello\r\n\[.*\] from a program\r\n$/)
  await it.run('virsh shutdown deb')
  await eventually('its end', () => !it.host.running().includes('deb'))
  t.match(
    (await it.run(`tail -n 2 ${log}`))[0],
    /systemd-shutdown\[1\]: Powering off\.\r\n.*reboot: Power down\r\n$/,
  )
  await it.run('virsh start deb')
  await addressOf(it)
  t.equal((await it.run(`grep -c 'Linux version' ${log}`))[0], '2\n', 'append')
})

t.test(
  'a serial port that is a file begins anew with each start, and not with a reset',
  { buffered: true },
  async t => {
    const it = await withConsole(t, toFile)
    await addressOf(it)
    await it.run('virsh reset deb')
    await addressOf(it)
    t.equal((await it.run(`grep -c 'Linux version' ${log}`))[0], '2\n')
    await it.run('virsh destroy deb; virsh start deb')
    await addressOf(it)
    t.equal((await it.run(`grep -c 'Linux version' ${log}`))[0], '1\n')
  },
)

t.test('a kernel that panics says so, and then nothing goes on', { buffered: true }, async t => {
  const it = await withConsole(t, logged, { panic: { command: 'break' } })
  const address = await addressOf(it)
  let answered = false
  void it.inGuest(address, 'echo break; sleep 1; echo on >/root/on').then(() => {
    answered = true
  })
  let text = ''
  for (let tries = 0; !text.includes('end Kernel') && tries < 100; tries++) {
    ;[text] = await it.run(`sleep 0.05; cat ${log}`)
  }
  t.match(
    text,
    /\] Kernel panic - not syncing: Attempted to kill init! exitcode=0x0000000b\r\n\[.*\r\n\[.*---\[ end Kernel panic - not syncing: Attempted to kill init! exitcode=0x0000000b \]---\r\n$/,
  )
  await it.run('virsh shutdown deb; sleep 1.5')
  t.strictSame(
    await it.run('virsh domstate deb'),
    ['running\n\n', '', 0],
    'it does not hear its power button',
  )
  await it.run('virsh suspend deb; virsh resume deb; sleep 0.3')
  t.equal(answered, false)
  await it.run('virsh reset deb')
  await addressOf(it)
  t.equal(await it.inGuest(address, 'ls /root/on 2>&1 | grep -c No'), '1\n', 'the script did not go on')
})

t.test('a persona whose kernel has oopsed shows it on its console', { buffered: true }, async t => {
  const it = await withConsole(t, logged, {}, 'debian-12+kernel-oops')
  await addressOf(it)
  t.match((await it.run(`cat ${log}`))[0], /\r\n\[ +12\.500000\] Oops: 0000 \[#1\] SMP\r\n[\s\S]*login: $/)
})

t.test('SysRq and an NMI crash a kernel that is told to', { buffered: true }, async t => {
  const it = await withConsole(t, logged)
  const address = await addressOf(it)
  const boot = 'cat /proc/sys/kernel/random/boot_id'
  const before = await it.inGuest(address, boot)
  await it.inGuest(address, 'echo 1 >/proc/sys/kernel/panic; echo c >/proc/sysrq-trigger').catch(() => {})
  await it.run('sleep 0.5')
  await addressOf(it)
  t.not(await it.inGuest(address, boot), before)
  t.match(
    (await it.run(`cat ${log}`))[0],
    /sysrq: Trigger a crash\r\n.*Kernel panic - not syncing: sysrq triggered crash\r\n[\s\S]*Rebooting in 1 seconds\.\.\r\n\[ +0\.000000\] Linux/,
  )
  await it.inGuest(address, 'echo 0 >/proc/sys/kernel/panic; echo 1 >/proc/sys/kernel/unknown_nmi_panic')
  await it.run('virsh inject-nmi deb')
  t.match(
    (await it.run(`tail -n 4 ${log}`))[0],
    /Uhhuh.*\r\n.*Kernel panic - not syncing: NMI: Not continuing/,
  )
})

t.test('xenconsoled logs the console of each paravirtual guest', { buffered: true }, async t => {
  const it = await stand(t, {
    persona: 'rhel-5-xen-pv',
    vms: [
      { name: 'pv', guest: { persona: 'rhel-5.11', users }, hardware: { vcpus: 1, memoryBytes: 2 ** 29 } },
    ],
  })
  await it.run('virsh start pv')
  const look = 'cat /var/log/xen/console/guest-pv.log'
  let text = ''
  for (let tries = 0; !text.includes('login:') && tries < 100; tries++)
    [text] = await it.run(`sleep 0.05; ${look}`)
  t.match(text, /Linux version 2\.6\.18-[^\n]*xen[\s\S]*pv login: $/)
  await it.run('virsh shutdown pv')
  await eventually('its end', () => !it.host.running().includes('pv'))
  t.match((await it.run(look))[0], /login: Power down\.\r\n$/)
})
