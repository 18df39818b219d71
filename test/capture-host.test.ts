import { join } from 'node:path'
import t from 'tap'
import { loadManagedHostPersona } from '../emulator/persona/load.js'
import { packageRoot } from '../src/config/package-root.js'
import { libvirtModule } from '../src/hypervisors/libvirt/module.js'
import { makeHostPersona } from '../src/lab/capture/host.js'
import { guestcert } from './cli-io.js'

const place = { file: 'lab.yaml', line: 1, column: 1 }
const host = {
  id: 'kvm-1',
  place,
  product: 'debian-kvm',
  version: '12',
  driver: libvirtModule,
  capacity: { guests: 1, vcpus: 1, memoryBytes: 2 ** 30, locks: [] },
} as const
const request = { host, name: 'kvm-1', program: 'guestcert 1.2.3', now: new Date('2026-11-25T12:00:00Z') }
/** As libvirt 9.0.0 of Debian 12 prints them. */
const answers = {
  version:
    'Compiled against library: libvirt 9.0.0\nUsing library: libvirt 9.0.0\nUsing API: QEMU 9.0.0\nRunning hypervisor: QEMU 7.2.22\n\n',
  uri: 'qemu:///system\n\n',
  nodeinfo:
    'CPU model:           x86_64\nCPU(s):              8\nCPU frequency:       2445 MHz\nCPU socket(s):       1\nCore(s) per socket:  4\nThread(s) per core:  2\nNUMA cell(s):        1\nMemory size:         17787092 KiB\n\n',
  capabilities: `<capabilities>
  <host><uuid>4c4c4544-0042-3510-8052-b4c04f4e3132</uuid><secmodel><model>apparmor</model><doi>0</doi></secmodel></host>
  <guest><os_type>hvm</os_type><arch name='i686'><emulator>/usr/bin/qemu-system-i386</emulator></arch></guest>
  <guest><os_type>hvm</os_type><arch name='x86_64'><emulator>/usr/bin/qemu-system-x86_64</emulator>
    <machine maxCpus='255'>pc-i440fx-7.2</machine><machine canonical='pc-i440fx-7.2' maxCpus='255'>pc</machine>
    <domain type='qemu'/><domain type='kvm'/></arch></guest>
</capabilities>
`,
  network: "<network><name>default</name><ip address='192.168.123.1' netmask='255.255.255.0'/></network>\n",
  formats: 'Supported formats: blkdebug qcow2 raw\n',
  images: '/var/lib/libvirt/images\n',
  release: 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nID=debian\n',
}

t.test('what a host says of itself becomes a persona that loads, without its names', async t => {
  const { persona, warnings } = makeHostPersona(request, answers)
  const cwd = t.testdir({ 'kvm-1.yaml': persona.text })
  const loaded = loadManagedHostPersona(join(cwd, 'kvm-1.yaml'), [join(packageRoot, 'fixtures/personas')])
  t.strictSame(loaded.node, {
    from: 'captured',
    model: 'x86_64',
    mhz: 2445,
    cells: 1,
    sockets: 1,
    cores: 4,
    threads: 2,
    memoryKiB: 17787092,
  })
  t.strictSame(loaded.libvirt, {
    from: 'captured',
    version: '9.0.0',
    uri: 'qemu:///system',
    api: 'QEMU 9.0.0',
    hypervisor: 'QEMU 7.2.22',
    emulator: '/usr/bin/qemu-system-x86_64',
    images: '/var/lib/libvirt/images',
    format: 'qcow2',
    machineType: 'pc-i440fx-7.2',
    security: { model: 'apparmor', doi: '0' },
  })
  t.strictSame(loaded.network, {
    from: 'captured',
    kind: 'network',
    name: 'default',
    prefix: '192.168.123',
  })
  t.strictSame(loaded.machine, { from: 'assumed', persona: 'debian-12-libvirt-machine' })
  t.match(persona.text, '# Captured by guestcert 1.2.3 on 2026-11-25 from a live host:')
  t.notMatch(persona.text, '4c4c4544')
  t.match(warnings, [/rhel-9-kvm/])
})

t.test('what a host does not have is assumed, and said', async t => {
  const { network: _, ...less } = answers
  const { persona, warnings } = makeHostPersona(request, less)
  t.match(persona.text, /network:\n {2}from: assumed/)
  t.match(warnings.join('\n'), 'no default network')
})

t.test('a host that a persona cannot describe is refused', async t => {
  const arm = answers.nodeinfo.replace('x86_64', 'aarch64')
  t.throws(() => makeHostPersona(request, { ...answers, nodeinfo: arm }), /"kvm-1" is aarch64/)
  t.throws(() => makeHostPersona(request, { ...answers, uri: 'xen:///\n' }), /"xen:\/\/\/"/)
  t.throws(() => makeHostPersona(request, { ...answers, nodeinfo: 'nonsense\n' }), /form that is not known/)
  const some = answers.nodeinfo.replace(/^CPU socket.*\n/m, '')
  t.throws(() => makeHostPersona(request, { ...answers, nodeinfo: some }), /without "CPU socket\(s\)"/)
  t.throws(() => makeHostPersona(request, { ...answers, capabilities: '<a><b>' }), /XML of a host/)
})

t.test('a command line that names no host to capture says what to do', async t => {
  const lab = join(packageRoot, 'fixtures/labs/twin.yaml')
  const cases = [
    [[], /name a guest, or a host with --host/],
    [['--host', 'copi'], /unknown host "copi": did you mean "copy"/],
    [['--host', 'copy'], /"copy" is emulated/],
    [['--host', 'this-machine'], /uses the driver qemu, whose hosts cannot be captured/],
  ] as const
  for (const [more, message] of cases) {
    const { code, stderr } = await guestcert(['capture', lab, ...more])
    t.equal(code, 2)
    t.match(stderr, message)
  }
})
