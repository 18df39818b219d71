import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { type AddressInfo, connect } from 'node:net'
import ssh2 from 'ssh2'
import t from 'tap'
import { parse } from 'yaml'
import { parsePersona } from '../emulator/persona/load.js'
import { packageRoot } from '../src/config/package-root.js'
import { qemuModule } from '../src/hypervisors/qemu/module.js'
import { type Captured, makePersonas } from '../src/lab/capture/capture.js'
import { readLog } from '../src/lab/capture/kernel-log.js'
import { parseKeyExchange, readKeyExchange } from '../src/lab/capture/key-exchange.js'
import { type Answer, readAnswers } from '../src/lab/capture/probe.js'
import { keyPair } from '../src/remote/server.test.fixture.js'
import { makeScrub } from '../src/text/scrub.js'
import { guestcert } from './cli-io.js'

const place = { file: 'lab.yaml', line: 1, column: 1 }

/** What must not be found in any file that a capture leaves. */
const secrets = {
  address: '10.11.12.13',
  'address of IPv6': 'fe80::5054:ff:fe12:3456',
  'hardware address': '52:54:00:ab:cd:ef',
  'host name': 'db-17.corp.example',
  'short host name': 'db-17',
  uuid: '4c4c4544-0042-3510-8052-b4c04f4e3132',
  'machine id': 'a94069bfec67dd8e39e38d2fdb72fd03',
  'serial number': 'XQ77Z001',
  key: 'AAAAC3NzaC1lZDI1NTE5AAAAIGJ0',
  person: 'alice',
}

const procVersion = 'Linux version 6.1.0-9-amd64 (debian-kernel@lists.debian.org) #1 SMP'
const log = [
  `<5>[    0.000000] ${procVersion}`,
  `<6>[    0.000000] Command line: root=UUID=${secrets.uuid} ro`,
  '<6>[    0.030000] Memory: 480272K/524268K available (14343K kernel code)',
  '<6>[    0.100000] smp: Brought up 1 node, 1 CPU',
  '<6>[    0.200000] DMI: QEMU Standard PC (i440FX + PIIX, 1996)',
  `<6>[    1.000000] virtio_net virtio1: address ${secrets['hardware address']} at ${secrets.address}`,
  `<4>[    1.500000] usb 1-1: Product: stick, Serial Number: ${secrets['serial number']}`,
  '<6>[    2.000000] rtc_cmos 00:05: setting system clock to 2026-11-23T02:23:05 UTC',
  `<30>[    3.000000] systemd[1]: Hostname set to <${secrets['host name']}>.`,
].join('\n')

const said: Readonly<Record<string, string>> = {
  who: '0',
  'uname-n': secrets['short host name'],
  'uname-r': '6.1.0-9-amd64',
  'uname-v': '#1 SMP',
  'uname-m': 'x86_64',
  'proc-version': procVersion,
  self: '400',
  cmdline: `root=UUID=${secrets.uuid} ro systemd.machine_id=${secrets['machine id']}`,
  tainted: '0',
  'entropy-available': '256',
  'entropy-pool': '256',
  random: '16',
  cpuinfo:
    'processor\t: 0\nvendor_id\t: GenuineIntel\ncpu family\t: 6\nmodel\t\t: 6\nmodel name\t: QEMU Virtual CPU\nstepping\t: 3\ncpu MHz\t\t: 2400.000\ncache size\t: 4096 KB\nflags\t\t: fpu sse2 hypervisor\naddress sizes\t: 40 bits physical, 48 bits virtual\npower management:\n\nprocessor\t: 1\n',
  meminfo: 'MemTotal:         480272 kB\nMemFree:          300000 kB\nActive(anon):        100 kB\n',
  modules: 'virtio_net 73728 0 - Live 0x0000000000000000\nvirtio_blk 28672 1 - Live 0x0000000000000000\n',
  mounts: '/dev/vda1 / ext4 rw 0 0\ntmpfs /dev/shm tmpfs rw 0 0\n',
  cleared: 'D /tmp 1777 root root -\n',
  room: 'Filesystem 1024-blocks Used Available Capacity Mounted on\n/dev/vda1 1992552 320240 102400 18% /\n',
  log,
  processes: [
    '  1   0   0 /sbin/init',
    '  2   0   0 [kthreadd]',
    ` 90   1 101 /usr/sbin/agent --server ${secrets.address}`,
    '200   1   0 sshd: /usr/sbin/sshd -D [listener] 0 of 10-100 startups',
    '300 200   0 sshd: root@notty',
    '400 300   0 sh -c …',
    '401 400   0 ps -ww -e',
    `500   1 1000 /home/${secrets.person}/bin/game`,
  ].join('\n'),
  users: `root:x:0:0:root:/root:/bin/bash\nagent:x:101:101::/:/bin/false\n${secrets.person}:x:1000:1000::/home/${secrets.person}:/bin/bash\n`,
  'uid-min': '1000',
  sh: '/usr/bin/dash',
  links: '/bin usr/bin\n',
  clocksources: 'tsc acpi_pm',
  symbols: 'ffffffffa8e2dcc0 d clocksource_tsc\nffffffffa8e39800 D kvm_clock\n',
  topology: '0',
  dmi: `product_name=Standard PC (i440FX + PIIX, 1996)\nproduct_serial\nproduct_uuid\nsys_vendor=QEMU\nchassis_asset_tag\nproduct_sku=${secrets.uuid}\n`,
  sshd: 'maxsessions 10\nacceptenv LANG\npubkeyauthentication yes\npasswordauthentication no\n',
  there: '/proc\n/proc/stat\n/tmp\n/run/systemd/system\n/proc/timer_list\n',
  modes: '1777 /tmp\n400 /proc/timer_list\n444 /proc/stat\n',
  programs: '/bin/cat\n/usr/bin/cat\n/usr/bin/awk\n',
  'file /etc/os-release': 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nID=debian\n',
  'file /etc/lsb-release': `HOST=${secrets['host name']}\nKEY=ssh-ed25519 ${secrets.key}\nNET=${secrets['address of IPv6']}\n`,
  'file /proc/sys/kernel/dmesg_restrict': '1\n',
  'command getconf LONG_BIT': '64\n',
}

const offer = {
  identification: 'SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u7',
  kex: ['sntrup761x25519-sha512', 'curve25519-sha256', 'kex-strict-s-v00@openssh.com'],
  serverHostKey: ['rsa-sha2-512', 'ssh-ed25519'],
  cipher: ['aes128-ctr'],
  hmac: ['umac-64@openssh.com', 'hmac-sha2-256'],
  compress: ['none', 'zlib@openssh.com'],
}

function personas(change: Readonly<Record<string, string>> = {}): Captured {
  const answers = new Map<string, Answer>(
    Object.entries({ ...said, ...change }).map(([name, text]) => [name, { text, exit: 0 }]),
  )
  return makePersonas(
    {
      guest: {
        id: 'debian',
        place,
        product: 'debian',
        version: '12',
        arch: 'x86_64',
        family: 'linux',
        shell: 'posix',
        login: { user: 'root', algorithms: 'modern', hostKey: { kind: 'accept-new' } },
        tags: [],
        reboot: null,
        on: [],
      },
      host: {
        id: 'here',
        place,
        product: 'qemu',
        version: '7.2',
        driver: qemuModule,
        capacity: { guests: 1, vcpus: 1, memoryBytes: 1, locks: [] },
      },
      placement: {
        host: 'here',
        place,
        clean: { kind: 'none' },
        viaHost: false,
        configuration: { name: 'small', memoryBytes: 536_870_912, disk: 'virtio-blk', nic: 'virtio-net' },
      },
      name: 'debian-12',
      bootedInMs: 35_400,
      program: 'guestcert 0.1.0',
      now: new Date('2026-11-23T00:00:00Z'),
    },
    answers,
    offer,
  )
}

t.test('a capture makes personas that load, and every fact says that it was captured', async t => {
  const { guest, host } = personas()
  t.equal(host?.name, 'qemu-7.2')
  const played = parsePersona(guest.text, 'debian-12.yaml')
  const seen = parsePersona(host?.text ?? '', 'qemu-7.2.yaml')
  const from = [...`${guest.text}\n${host?.text}`.matchAll(/\bfrom: (\w+)/g)].map(([, word]) => word)
  t.same([...new Set(from)].sort(), ['assumed', 'captured'])
  t.equal(from.filter(word => word === 'assumed').length, 1, 'all but the time that a boot takes')
  t.equal(played.timing?.from, 'assumed')
  t.match(guest.text, /^# It answered 35\.4 s after it was started\.$/m)
  t.match(played, {
    extends: 'linux',
    shell: { path: '/bin/bash', flavour: 'dash' },
    init: { kind: 'systemd' },
    kernel: { release: '6.1.0-9-amd64', firstPid: 501, logRestricted: true, timestamps: true },
    virtual: { clocksources: ['kvm-clock', 'tsc', 'acpi_pm'], hypervisorDirectory: false },
    storage: { clearedAtBoot: ['/dev/shm', '/tmp'], device: 'vda', filesystem: 'ext4', roomMiB: 100 },
    processors: { fields: ['processor', 'vendor_id', 'cpu family', 'model'] },
  })
  const { reservedBytes = 0, reservedPerMille = 0 } = played.memory ?? {}
  const total = 536_870_912 - reservedBytes - (536_870_912 * reservedPerMille) / 1000
  t.equal(
    Math.floor(total / 4096) * 4096,
    480_272 * 1024,
    'the memory is what the guest had of what it was given',
  )
  t.match(seen, {
    hypervisor: {
      id: 'qemu',
      product: 'qemu',
      version: '7.2',
      mode: 'hvm',
      clocksources: ['tsc', 'acpi_pm'],
    },
    dmi: { values: { sys_vendor: 'QEMU' } },
    cpu: { vendor_id: 'GenuineIntel', flags: ['fpu', 'sse2'], cacheKb: 4096 },
  })
})

t.test('what tells the captured machine from others is in neither file', async t => {
  const { guest, host } = personas()
  for (const [what, secret] of Object.entries(secrets)) {
    t.notOk(`${guest.text}${host?.text}`.includes(secret), `no ${what}`)
  }
  const dmi = parsePersona(host?.text ?? '', 'host').dmi?.values ?? {}
  t.same(
    Object.keys(dmi).filter(name => /serial|uuid|asset/.test(name)),
    [],
  )
})

t.test('what is another at every instance is left to the emulator', async t => {
  const played = parsePersona(personas().guest.text, 'debian-12.yaml')
  t.same(played.files['/proc/stat'], { from: 'captured', live: 'stat' })
  t.same(played.files['/proc/timer_list'], { from: 'captured', live: 'timer_list', mode: '0400' })
  t.equal(played.files['/proc/uptime'], null, 'what the guest has not is taken away from what it extends')
  t.same(played.missing[0]?.paths.includes('/usr/bin/sudo'), true)
  t.same(played.programs[0]?.paths, ['/usr/bin/awk', '/usr/bin/cat'])
  const [anywhere, here] = played.log
  t.same(
    anywhere?.lines.map(({ text }) => text),
    [
      '{procVersion}',
      'Command line: {cmdline}',
      'Memory: {availableKiB}K/{memoryKiB}K available (14343K kernel code)',
      'smp: Brought up 1 node, {vcpus} CPU',
    ],
    'lines with the values of a machine',
  )
  t.match(here, { hypervisor: ['qemu'], disk: ['virtio-blk'], nic: ['virtio-net'] })
  t.equal(here?.lines.find(({ text }) => text.startsWith('usb'))?.level, 4)
  t.notOk(here?.lines.some(({ text }) => text.includes('setting system clock')))
  t.match(played.modules, [{ hypervisor: ['qemu'], names: { virtio_net: 73728, virtio_blk: 28672 } }])
})

t.test('neither our own session nor what people run is among the processes', async t => {
  const played = parsePersona(personas().guest.text, 'debian-12.yaml')
  t.same(
    played.processes.flatMap(({ list }) => list.map(({ pid, user }) => [pid, user])),
    [
      [1, 'root'],
      [2, 'root'],
      [90, 'agent'],
      [200, 'root'],
    ],
  )
})

t.test('algorithms that the emulator cannot play stand in a comment', async t => {
  const { text } = personas().guest
  const { ssh } = parsePersona(text, 'debian-12.yaml')
  t.match(ssh, {
    ident: offer.identification,
    hostKey: 'ed25519',
    signals: 'forwarded',
    methods: ['publickey'],
    algorithms: {
      kex: ['curve25519-sha256'],
      serverHostKey: ['ssh-ed25519'],
      hmac: ['hmac-sha2-256'],
      compress: ['none', 'zlib@openssh.com'],
    },
  })
  t.match(
    text,
    /# Also offered, and not played: sntrup761x25519-sha512, kex-strict-s-v00@openssh\.com, rsa-sha2-512/,
  )
})

t.test('a guest that no persona can describe is refused', async t => {
  t.throws(() => personas({ 'uname-m': 'aarch64' }), /aarch64/)
})

t.test('hostile answers stay data', async t => {
  const { guest } = personas({
    cmdline: 'quiet "\'{}[]: #\u0000\u001b[31m',
    'file /etc/os-release': 'ID=debian\nNAME="a: b # c"\n- x\n',
    processes: '1 0 0 /sbin/init\n7 1 0 evil: {from: x}, \u001b]0;title\u0007',
    modules: 'ok 1 0 - Live 0x0\n../../etc 1 0\n',
  })
  t.notMatch(guest.text, /\x1b|\0/)
  const played = parsePersona(guest.text, 'debian-12.yaml')
  t.equal(played.processes[0]?.list[1]?.args, 'evil: {from: x},  ]0;title')
  t.same(Object.keys(played.modules[0]?.names ?? {}), ['ok'])
  t.same(Object.keys(parse(guest.text).modules[0].names), ['ok'])
})

t.test('answers whose end is missing are none', async t => {
  t.equal(readAnswers('m begin who\n0\n\nm end 0\n', 'm'), null)
  t.equal(readAnswers('m begin who\n0\n\nm end 0\nm begin cut\nm all\n', 'm'), null)
  const answered = readAnswers('m begin who\n0\n\nm end 3\nm all\n', 'm')
  t.same(answered?.get('who'), { text: '0\n', exit: 3 })
})

t.test('scrubbing spares versions, loopback, labels and the words of the product', async t => {
  const scrub = makeScrub(['debian', 'guest-7'], ['debian'])
  for (const text of [
    'debian-kernel@lists.debian.org (Debian 12.2.0-14+deb12u1) 6.1.192-2',
    'listening on 127.0.0.1:22 and 0.0.0.0',
    'root=LABEL=guest-7',
    'pci 0000:00:03.0: [1af4:1000] at 03:00:00',
    'Serial: 8250/16550 driver, 4 ports, IRQ sharing enabled',
    'SerialNumber=3',
  ]) {
    t.equal(scrub(text), text)
  }
  t.equal(scrub('from guest-7 to GUEST-7.'), 'from localhost to localhost.')
})

t.test('a log of an old kernel has no times and no levels', async t => {
  const { anywhere, here } = readLog(
    'Linux version 2.6.18\nhda: QEMU HARDDISK, ATA DISK drive\n',
    'Linux version 2.6.18',
    x => x,
  )
  t.same(anywhere, [{ at: 0, text: '{procVersion}' }])
  t.same(here, [{ at: 0, text: 'hda: QEMU HARDDISK, ATA DISK drive' }])
})

t.test("a server's offer is read from the wire", async t => {
  const algorithms = { cipher: ['aes256-ctr', 'aes128-ctr'], hmac: ['hmac-sha2-512'] } as const
  const { private: key } = keyPair('ed25519')
  const server = new ssh2.Server(
    {
      hostKeys: [key],
      ident: 'OpenSSH_4.3',
      algorithms: { cipher: [...algorithms.cipher], hmac: [...algorithms.hmac] },
    },
    client => client.on('error', () => {}),
  )
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const found = await readKeyExchange(
    connect((server.address() as AddressInfo).port, '127.0.0.1'),
    AbortSignal.timeout(10_000),
  )
  t.match(found, { identification: 'SSH-2.0-OpenSSH_4.3', ...algorithms, serverHostKey: ['ssh-ed25519'] })
  t.ok(found.kex.includes('ecdh-sha2-nistp256'))
})

t.test('what is not an offer is refused, and what is not whole is waited for', async t => {
  t.equal(parseKeyExchange(Buffer.from('Welcome\r\nSSH-2.0-x\r\n\0\0')), null)
  t.throws(() => parseKeyExchange(Buffer.from('SSH-2.0-x\r\n\0\0\0\x0c\x04\x01aaaaaaa')), /key exchange/)
  const short = Buffer.concat([
    Buffer.from('SSH-2.0-x\r\n'),
    Buffer.from([0, 0, 0, 24, 4, 20]),
    Buffer.alloc(22, 0xff),
  ])
  t.throws(() => parseKeyExchange(short), /cut short/)
})

t.test('the command refuses what it cannot capture', async t => {
  const lab = `lab: l
hosts: { a: { product: qemu, version: "7", driver: static }, b: { product: qemu, version: "7", driver: static } }
guests:
  played: { product: debian, version: "12", arch: x86_64, emulated: debian-12, on: { a: { configuration: {} } } }
  twice:
    product: debian
    version: "12"
    arch: x86_64
    login: { key: agent }
    on: { a: { address: 127.0.0.1, configuration: {} }, b: { address: 127.0.0.1, configuration: {} } }
suites: [builtin]
`
  const cwd = t.testdir({ 'lab.yaml': lab })
  const refused = async (args: readonly string[], why: RegExp): Promise<void> => {
    const { code, stderr } = await guestcert(['capture', 'lab.yaml', ...args], { cwd })
    t.equal(code, 2)
    t.match(stderr, why)
  }
  await refused(['played'], /emulated/)
  await refused(['playd'], /did you mean "played"/)
  await refused(['twice'], /several hosts.*a, b/)
  await refused(['twice', '--host', 'c'], /not on "c"/)
  await refused(['twice', '--host', 'a', '--name', 'Not Good'], /invalid persona name "Not Good"/)
})

t.test('the personas that ship were captured, and name no machine', async t => {
  const text = await readFile(`${packageRoot}/fixtures/personas/debian-12.yaml`, 'utf8')
  t.match(text, /^# Captured by guestcert /)
  t.notMatch(text, /from: (?!captured|assumed, bootMs)/)
})
