import { join } from 'node:path'
import t from 'tap'
import { loadManagedHostPersona } from '../../../emulator/persona/load.js'
import { packageRoot } from '../../config/package-root.js'
import { xlModule } from '../../hypervisors/xl/module.js'
import { makeXenPersona } from './xen-host.js'

const place = { file: 'lab.yaml', line: 1, column: 1 }
const host = {
  id: 'xen-1',
  place,
  product: 'xen',
  version: '4.17',
  driver: xlModule,
  capacity: { guests: 1, vcpus: 1, memoryBytes: 2 ** 30, locks: [] },
} as const
const request = { host, name: 'xen-1', program: 'guestcert 1.2.3', now: new Date('2026-11-28T12:00:00Z') }
/** Lines of xl 4.17, as it printed them; the name and the address of the host are made up. */
const answers = {
  info: `host                   : tin-17
release                : 6.1.0-56-amd64
machine                : x86_64
nr_cpus                : 8
nr_nodes               : 1
cores_per_socket       : 4
threads_per_core       : 2
cpu_mhz                : 2596.148
hw_caps                : 078bf3fd:80002001
total_memory           : 3071
free_memory            : 1502
xen_major              : 4
xen_minor              : 17
xen_extra              : .7
xen_version            : 4.17.7
xen_caps               : xen-3.0-x86_64 
xen_commandline        : placeholder log=tin-17 com1=115200,8n1 gdb=10.1.2.3
build_id               : 151b373fd64b321593bf987fd923cd10dabadac4
`,
  list: `Name                                        ID   Mem VCPUs\tState\tTime(s)
Domain-0                                     0  1536     1     r-----      41.1
`,
  name: 'tin-17\n',
  release: 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nID=debian\n',
  bridges: '/sys/class/net/xenbr0/bridge\n',
  addresses: '1: lo    inet 127.0.0.1/8 scope host lo\n3: xenbr0    inet 10.20.30.1/24 scope global xenbr0\n',
}

t.test('what a Xen host says of itself becomes a persona that loads, without its names', async t => {
  const { persona, warnings } = makeXenPersona(request, answers)
  const cwd = t.testdir({ 'xen-1.yaml': persona.text })
  const loaded = loadManagedHostPersona(join(cwd, 'xen-1.yaml'), [join(packageRoot, 'fixtures/personas')])
  t.strictSame(loaded.node, {
    from: 'captured',
    model: 'x86_64',
    mhz: 2596,
    cells: 1,
    sockets: 1,
    cores: 4,
    threads: 2,
    memoryKiB: 3071 * 1024,
  })
  t.match(loaded.xen, { from: 'captured', version: '4.17.7', dom0KiB: 1536 * 1024 })
  t.equal(loaded.xen?.info.xen_caps, 'xen-3.0-x86_64 ', 'with the blank at its end')
  t.equal(loaded.xen?.info.xen_commandline, 'placeholder log=localhost com1=115200,8n1 gdb=192.0.2.1')
  t.equal(loaded.xen?.info.free_memory, undefined)
  t.strictSame(loaded.network, { from: 'captured', kind: 'bridge', name: 'xenbr0', prefix: '192.0.2' })
  t.strictSame(loaded.machine, { from: 'assumed', persona: 'debian-12-xen-machine' })
  t.notMatch(persona.text, /tin-17|10\.20\.30/)
  t.match(warnings.join('\n'), /capture a guest/)
})

t.test('what a Xen host does not have is assumed, and said', async t => {
  const { bridges: _, ...less } = answers
  const { persona, warnings } = makeXenPersona(request, less)
  t.match(persona.text, /network:\n {2}from: assumed/)
  t.match(warnings.join('\n'), /no bridge/)
})

t.test('a Xen host that a persona cannot describe is refused', async t => {
  const arm = answers.info.replace('x86_64', 'aarch64')
  t.throws(() => makeXenPersona(request, { ...answers, info: arm }), /"xen-1" is aarch64/)
  t.throws(() => makeXenPersona(request, { ...answers, info: 'nonsense\n' }), /form that is not known/)
  const some = answers.info.replace(/^nr_nodes.*\n/m, '')
  t.throws(() => makeXenPersona(request, { ...answers, info: some }), /without "nr_nodes"/)
  const [heading] = answers.list.split('\n')
  t.throws(() => makeXenPersona(request, { ...answers, list: `${heading}\n` }), /without the first/)
})
