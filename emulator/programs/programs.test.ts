import { createHash } from 'node:crypto'
import t from 'tap'
import { bootForTest, runScript } from '../harness.test.helper.js'

const system = bootForTest('ubuntu-24.04', { disk: 'virtio-blk', nic: 'virtio-net' }, 'rhel-9-kvm')
const run = (script: string, options = {}): ReturnType<typeof runScript> => runScript(system, script, options)

t.test('date follows the guest’s clock to the nanosecond', async t => {
  const { stdout } = await run('date +%s%N; date +%s%N; date -u -d @0 +%FT%TZ')
  const [first = '', second = '', epoch] = stdout.split('\n')
  t.ok(BigInt(second) > BigInt(first))
  t.notOk(/000$/.test(first) && /000$/.test(second), 'the last digits are real')
  t.ok(Math.abs(Number(BigInt(first) / 1_000_000n) - Date.now()) < 10_000)
  t.equal(epoch, '1970-01-01T00:00:00Z')
})

t.test('dd copies, skips, seeks and is told when it cannot', async t => {
  const { stdout, stderr, status } = await run(
    'dd if=/dev/zero of=z bs=1k count=3 conv=fsync oflag=direct && printf abc | dd of=z bs=1 seek=2 conv=notrunc 2>/dev/null; od -An -c -N6 z; dd if=z bs=1k skip=2 iflag=direct 2>/dev/null | wc -c; rm z',
  )
  t.equal(stdout, '  \\0  \\0   a   b   c  \\0\n1024\n')
  t.match(stderr, /3\+0 records in\n3\+0 records out\n3072 bytes/)
  t.equal(status, 0)
  t.not((await run('dd if=/nonexistent of=/dev/null')).status, 0)
  t.not((await run('dd if=/dev/zero of=/dev/full bs=1k count=1')).status, 0)
  t.match((await run('dd nonsense=1')).stderr, /unrecognized operand/)
})

t.test('digests are those of everybody', async t => {
  const { stdout } = await run(
    'printf hello > h; sha256sum h; md5sum h; cksum h; sha256sum h > s; sha256sum -c s; echo x >> h; sha256sum -c s 2>/dev/null; echo $?; rm h s',
  )
  t.match(stdout, `${createHash('sha256').update('hello').digest('hex')}  h\n`)
  t.match(stdout, `${createHash('md5').update('hello').digest('hex')}  h\n`)
  t.match(stdout, '3287646509 5 h\n')
  t.match(stdout, /h: OK\nh: FAILED\n1\n$/)
})

t.test('random devices give what they are asked for', async t => {
  const { stdout } = await run(
    'dd if=/dev/urandom bs=16 count=1 2>/dev/null | wc -c; head -c 5 /dev/random | wc -c; head -c 300000 /dev/zero | tr -d "\\0" | wc -c',
  )
  t.equal(stdout.replace(/ /g, ''), '16\n5\n0\n')
})

t.test('processes are listed with their groups and environments', async t => {
  const { stdout } = await run(
    'MARK=here sleep 60 & ps -o comm= | grep -c "^sleep$"; grep -l MARK=here /proc/[0-9]*/environ | wc -l; kill $!; wait; cat /proc/self/comm; tr "\\0" " " < /proc/$$/cmdline | cut -c1-5',
  )
  t.equal(stdout.replace(/ +/g, ''), '1\n1\ncat\nsh-c\n')
})

t.test('timeout, xargs, env and sudo start other programs', async t => {
  const { stdout } = await run(
    'timeout 0.05 sleep 9; echo $?; printf "a\\nb c\\n" | xargs -n 1 echo x; env -i A=1 sh -c "echo \\$A\\$HOME"; sudo -n id -u',
  )
  t.equal(stdout, '124\nx a\nx b\nx c\n1\n0\n')
  const asUser = await run('id -u; sudo -n id -u; echo $?', { uid: 1000 })
  t.match(asUser.stdout, /^1000\n1\n$/, 'who is not in sudoers may not')
})

t.test('the machine is the one that was given', async t => {
  const { stdout } = await run(
    'nproc; getconf _NPROCESSORS_ONLN; grep -c ^processor /proc/cpuinfo; cat /sys/devices/system/cpu/online; cat /sys/class/dmi/id/sys_vendor; dmidecode -s system-product-name; systemd-detect-virt; cat /sys/devices/system/clocksource/clocksource0/current_clocksource; grep -c hypervisor /proc/cpuinfo; lsmod | grep -c virtio; sort -u /sys/bus/pci/devices/*/vendor | tr "\\n" " "; ls /sys/block',
  )
  t.equal(stdout, '2\n2\n2\n0-1\nRed Hat\nKVM\nkvm\nkvm-clock\n2\n2\n0x1af4 0x1b36 0x8086 vda\n')
})

t.test('what the kernel sets aside for a crash kernel is gone from MemTotal', async t => {
  const rhel = bootForTest('rhel-9', { memoryBytes: 2 ** 31 }, 'rhel-9-kvm')
  const { stdout } = await runScript(
    rhel,
    "cat /sys/kernel/kexec_crash_size; sed -n 's/^MemTotal: *\\([0-9]*\\) kB/\\1/p' /proc/meminfo; grep -c 'Crash kernel' /proc/iomem",
  )
  const [crash, total, lines] = stdout.split('\n').map(Number)
  t.strictSame([crash, lines], [192 * 2 ** 20, 1])
  t.ok((total ?? 0) * 1024 + (crash ?? 0) < 2 ** 31 && (total ?? 0) * 1024 + (crash ?? 0) > 1.9 * 2 ** 30)
})

t.test('a Xen PV guest has no DMI, and RHEL 5 has no DMI in sysfs', async t => {
  const pv = bootForTest('rhel-5.11', {}, 'rhel-5-xen-pv')
  const seen = await runScript(
    pv,
    'uname -r; cat /sys/hypervisor/type; ls /proc/xen | head -n 1; dmidecode -s system-product-name; ls /sys/class/dmi 2>/dev/null; ls /dev/xvda; grep -c hypervisor /proc/cpuinfo',
  )
  t.match(
    seen.stdout,
    /^2\.6\.18-\d+\.el5xen\nxen\nballoon\n# No SMBIOS nor DMI entry point found, sorry\.\n\/dev\/xvda\n0\n$/,
  )
  const kvm = bootForTest('rhel-5.11', { disk: 'ide' }, 'rhel-5-kvm')
  t.equal(
    (await runScript(kvm, 'uname -r; dmidecode -s system-manufacturer; ls /dev/hda')).stdout,
    '2.6.18-398.el5\nRed Hat\n/dev/hda\n',
  )
})
