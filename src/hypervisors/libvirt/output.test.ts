import t from 'tap'
import { parseArp, parseLeases } from '../shared/addresses.js'
import { parseRelease } from '../shared/host-facts.js'
import { parseImageFormat } from '../shared/storage.js'
import { UnknownOutput } from '../shared/unknown-output.js'
import {
  parseAddresses,
  parseDomainInfo,
  parseList,
  parseNodeInfo,
  parseState,
  parseVersions,
} from './output.js'

/** `own`: printed by virsh 9.0.0 of Debian 12. Else: where the format was read. */
const sources = {
  own: 'virsh 9.0.0, Debian 12, captured',
  virshC: 'src/virsh.c of libvirt, commit 00602abe (vshPrintExtra and vshDomainStateToString)',
  hacking: 'docs of libvirt on bug reports: output of 0.9.10',
  ubuntu810: 'a report from Ubuntu 8.10 with libvirt 0.4.4 (Ubuntu forums, November 2008)',
  ubuntu904: 'a report from Ubuntu with libvirt 0.6.4 (Ubuntu forums, July 2009)',
  ubuntu1004: 'a report from Ubuntu 10.04 (Ubuntu forums, April 2011)',
  ubuntu1010: 'a report from Ubuntu 10.10 with libvirt 0.8.3 (Ubuntu forums)',
  hardy: 'a report from Ubuntu 8.04 (Ubuntu forums, May 2009)',
  xen: 'a comment on hosts with libvir 0.1.7 in the code of an attestation server',
  wrl: 'a report from Wind River Linux 9 with libvirt 1.3.5 (mailing list, 2020)',
  v751: 'a course with virsh 7.10.0 (GitHub)',
  k8s: 'a guide with a 12-CPU host (GitHub)',
  bootc: 'a guide for RHEL 9.4 (GitHub, May 2024)',
  centos7: 'notes from a CentOS 7 host (GitHub)',
  agent: 'the agent’s answer in the tests of a VM tool (GitHub)',
}

t.test('versions', async t => {
  const table: [source: string, text: string, wanted: ReturnType<typeof parseVersions>][] = [
    [
      sources.own,
      'Compiled against library: libvirt 9.0.0\nUsing library: libvirt 9.0.0\nUsing API: QEMU 9.0.0\nRunning hypervisor: QEMU 7.2.22\n\n',
      { library: '9.0.0', api: 'QEMU', hypervisor: 'QEMU 7.2.22' },
    ],
    [
      sources.wrl,
      'Compiled against library: libvirt 1.3.5\nUsing library: libvirt 1.3.5\nUsing API: QEMU 1.3.5\nRunning hypervisor: QEMU 2.7.0\n',
      { library: '1.3.5', api: 'QEMU', hypervisor: 'QEMU 2.7.0' },
    ],
    [
      sources.hacking,
      'Compiled against library: libvir 0.9.10\nUsing library: libvir 0.9.10\nUsing API: QEMU 0.9.10\nRunning hypervisor: QEMU 1.0.0\nRunning against daemon: 0.9.9\n',
      { library: '0.9.10', api: 'QEMU', hypervisor: 'QEMU 1.0.0' },
    ],
    [
      sources.ubuntu810,
      'Connecting to uri: qemu:///system\nCompiled against library: libvir 0.4.4\nUsing library: libvir 0.4.4\nUsing API: QEMU 0.4.4\nRunning hypervisor: QEMU 0.9.1\n',
      { library: '0.4.4', api: 'QEMU', hypervisor: 'QEMU 0.9.1' },
    ],
    [
      sources.xen,
      'Compiled against library: libvir 0.1.7\nUsing library: libvir 0.1.7\nUsing API: Xen 3.0.1\nRunning hypervisor: Xen 3.0.0\n',
      { library: '0.1.7', api: 'Xen', hypervisor: 'Xen 3.0.0' },
    ],
  ]
  for (const [source, text, wanted] of table) {
    t.strictSame(parseVersions(text), wanted, source)
  }
  t.throws(() => parseVersions('error: failed to connect to the hypervisor\n'), UnknownOutput)
  t.throws(() => parseVersions('Using library: libvirt 9.0.0\n'), UnknownOutput)
})

t.test('lists of domains', async t => {
  const table: [source: string, text: string, wanted: [string, string][]][] = [
    [
      sources.own,
      ' Id   Name    State\n------------------------\n -    gctry   shut off\n\n',
      [['gctry', 'shut off']],
    ],
    [sources.own, ' Id   Name   State\n--------------------\n\n', []],
    [
      sources.centos7,
      ' Id    Name                           State\n----------------------------------------------------\n 1     linux0224_cento7               running\n\n',
      [['linux0224_cento7', 'running']],
    ],
    [
      sources.ubuntu1010,
      ' Id Name                 State\n----------------------------------\n  - mav-vm1              shut off\n  - mav-vm2              shut off\n',
      [
        ['mav-vm1', 'shut off'],
        ['mav-vm2', 'shut off'],
      ],
    ],
    [
      sources.hardy,
      'Connecting to uri: qemu:///system\n Id Name                 State\n----------------------------------\n 28 DevVM-01             running\n 30 DevVM-02             running\n\n',
      [
        ['DevVM-01', 'running'],
        ['DevVM-02', 'running'],
      ],
    ],
    [
      sources.virshC,
      ' Id Name                 State\n----------------------------------\n  0 Domain-0             running\n  7 a-name-of-more-than-twenty-letters blocked\n  8 going                in shutdown\n  9 odd                  no state\n',
      [
        ['Domain-0', 'running'],
        ['a-name-of-more-than-twenty-letters', 'idle'],
        ['going', 'in shutdown'],
        ['odd', 'no state'],
      ],
    ],
    [
      `${sources.own}, with a blank in a name`,
      ' Id   Name               State\n-----------------------------------\n 1    Windows 2008 x64   paused\n -    is running low     shut off\n',
      [
        ['Windows 2008 x64', 'paused'],
        ['is running low', 'shut off'],
      ],
    ],
  ]
  for (const [source, text, wanted] of table) {
    t.strictSame(
      [...parseList(text)].map(([name, { state }]) => [name, state]),
      wanted,
      source,
    )
  }
  const ids = [...parseList(table[5]?.[1] ?? '').values()].map(({ id }) => id)
  t.strictSame(ids, ['0', '7', '8', '9'])
  t.equal(parseList(table[0]?.[1] ?? '').get('gctry')?.id, null)
  t.throws(() => parseList(''), UnknownOutput, 'nothing is not an empty list')
  t.throws(() => parseList('error: failed to connect\n'), UnknownOutput)
  t.throws(() => parseList(' Id   Name   State\n----\n 1 vm dreaming\n'), UnknownOutput)
})

t.test('states', async t => {
  const table: [text: string, state: string, reason: string | null][] = [
    ['running (booted)\n\n', 'running', 'booted'],
    ['shut off (crashed)\n\n', 'shut off', 'crashed'],
    ['paused (I/O error)\n\n', 'paused', 'I/O error'],
    ['crashed (panicked)\n\n', 'crashed', 'panicked'],
    ['shut off\n\n', 'shut off', null],
    ['blocked\n', 'idle', null],
    ['no state\n', 'no state', null],
    ['Connecting to uri: qemu:///system\nin shutdown\n', 'in shutdown', null],
  ]
  for (const [text, state, reason] of table) {
    t.strictSame(parseState(text), { state, reason }, text.trim())
  }
  for (const text of [
    '',
    'asleep\n',
    'running\nrunning\n',
    'running (booted',
    "error: failed to get domain 'x'",
  ]) {
    t.throws(() => parseState(text), UnknownOutput, text)
  }
})

t.test('what a host has', async t => {
  const own =
    'CPU model:           x86_64\nCPU(s):              2\nCPU frequency:       2600 MHz\nCPU socket(s):       1\nCore(s) per socket:  2\nThread(s) per core:  1\nNUMA cell(s):        1\nMemory size:         6908108 KiB\n\n'
  t.strictSame(parseNodeInfo(own), { model: 'x86_64', cpus: 2, memoryBytes: 6908108 * 1024 }, sources.own)
  const old = own.replace('KiB', 'kB').replace('x86_64', 'i686')
  t.strictSame(
    parseNodeInfo(old),
    { model: 'i686', cpus: 2, memoryBytes: 6908108 * 1024 },
    `${sources.virshC}: memory in kB`,
  )
  t.throws(() => parseNodeInfo(own.replace('KiB', 'MB')), UnknownOutput, 'a unit that is not known')
  t.throws(() => parseNodeInfo('CPU model: x86_64\n'), UnknownOutput)
})

t.test('what a domain has', async t => {
  const own =
    'Id:             1\nName:           gc-x\nUUID:           73595345-d72b-4df2-8f84-b06ae67c1b8a\nOS Type:        hvm\nState:          running\nCPU(s):         2\nCPU time:       20.4s\nMax memory:     262144 KiB\nUsed memory:    180000 KiB\nPersistent:     yes\n\n'
  t.strictSame(parseDomainInfo(own), { vcpus: 2, memoryBytes: 180_000 * 1024 }, sources.own)
  t.strictSame(
    parseDomainInfo(own.replaceAll('KiB', 'kB')),
    { vcpus: 2, memoryBytes: 180_000 * 1024 },
    `${sources.virshC}: memory in kB`,
  )
  t.throws(() => parseDomainInfo(own.replaceAll('KiB', 'MB')), UnknownOutput)
  t.throws(() => parseDomainInfo(''), UnknownOutput)
})

t.test('addresses', async t => {
  const mac = '52:54:00:d4:21:89'
  const heading =
    ' Name       MAC address          Protocol     Address\n-------------------------------------------------------------------------------\n'
  t.strictSame(
    parseAddresses(`${heading} vnet61     52:54:00:6f:da:1c    ipv4         192.168.124.31/24\n\n`),
    { found: [{ mac: '52:54:00:6f:da:1c', ip: '192.168.124.31' }], unread: [] },
    sources.bootc,
  )
  t.strictSame(parseAddresses(`${heading}\n`), { found: [], unread: [] }, sources.centos7)
  t.strictSame(
    parseAddresses(
      `${heading} lo         00:00:00:00:00:00    ipv4         127.0.0.1/8\n enp1s0     52:54:00:d4:21:89    ipv4         10.10.3.198/24\n -          -                    ipv6         fe80::5054:ff:fed4:2189/64\n docker0    02:42:ac:11:00:02    N/A          N/A\n`,
    ),
    {
      found: [
        { mac: '00:00:00:00:00:00', ip: '127.0.0.1' },
        { mac: '52:54:00:d4:21:89', ip: '10.10.3.198' },
        { mac: '52:54:00:d4:21:89', ip: 'fe80::5054:ff:fed4:2189' },
      ],
      unread: [],
    },
    sources.agent,
  )
  t.throws(() => parseAddresses('error: Domain is not running\n'), UnknownOutput)
  t.strictSame(parseAddresses(`${heading} vnet0 something else\n vnet1 ${mac} ipv4 192.0.2.7/24\n`), {
    found: [{ mac, ip: '192.0.2.7' }],
    unread: ['vnet0 something else'],
  })
})

t.test('leases and ARP, for hosts whose virsh tells no addresses', async t => {
  t.strictSame(
    parseLeases(
      '1288881032 52:54:00:AB:cd:01 192.168.122.7 guest *\nduid 00:01\n1288881032 nonsense 1.2.3.4 x *\n',
    ),
    [{ mac: '52:54:00:ab:cd:01', ip: '192.168.122.7' }],
    'the lease file of dnsmasq(8)',
  )
  t.strictSame(
    parseArp(
      'IP address       HW type     Flags       HW address            Mask     Device\n192.168.122.7    0x1         0x2         52:54:00:ab:cd:01     *        virbr0\n192.168.122.9    0x1         0x0         00:00:00:00:00:00     *        virbr0\n',
    ),
    [{ mac: '52:54:00:ab:cd:01', ip: '192.168.122.7' }],
    '/proc/net/arp, proc(5)',
  )
})

t.test('releases and image formats', async t => {
  t.equal(
    parseRelease('NAME="Debian"\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nID=debian\n'),
    'Debian GNU/Linux 12 (bookworm)',
  )
  t.equal(
    parseRelease('Red Hat Enterprise Linux Server release 5.3 (Tikanga)\n'),
    'Red Hat Enterprise Linux Server release 5.3 (Tikanga)',
  )
  t.equal(parseRelease(''), null)
  t.equal(parseImageFormat('image: /x.qcow2\nfile format: qcow2\nvirtual size: 2.0G\n'), 'qcow2')
  t.throws(() => parseImageFormat('image: file format: qcow2\n'), UnknownOutput)
})

t.test('addresses as the agent of Windows tells them', async t => {
  const text = [
    ' Name       MAC address          Protocol     Address',
    '-------------------------------------------------------------------------------',
    ' Loopback Pseudo-Interface 1 0:0:0:0:0:0          ipv6         ::1/128',
    ' -          -                    ipv4         127.0.0.1/8',
    ' Ethernet Instance 0 52:54:00:D4:21:89    ipv6         fe80::c0ff:ee%5/64',
    ' -          -                    ipv4         192.0.2.9/24',
    ' Teredo: ?  what is this',
    ' -          -                    ipv4         192.0.2.66/24',
    '',
  ].join('\n')
  t.strictSame(parseAddresses(text), {
    found: [
      { mac: '00:00:00:00:00:00', ip: '::1' },
      { mac: '00:00:00:00:00:00', ip: '127.0.0.1' },
      { mac: '52:54:00:d4:21:89', ip: '192.0.2.9' },
    ],
    unread: ['Teredo: ?  what is this'],
  })
})
