import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'
import t from 'tap'
import type { JournalEvent } from '../src/journal/events.js'
import { guestcertProcess } from './cli-process.js'

const [program, ...args] = guestcertProcess

const lab = `lab: renamed
hosts:
  right: { product: rhel-kvm, version: "9.6", driver: libvirt, emulated: rhel-9-kvm }
  wrong: { product: rhel-kvm, version: "8.10", driver: libvirt, emulated: rhel-9-kvm }
guests:
  deb: { product: debian, version: "12", arch: x86_64, emulated: debian-12, on: { right: { vm: a, clean: { snapshot: sealed }, via: host, configuration: { vcpus: 1, memory: 512MiB } } } }
  other: { product: debian, version: "11", arch: x86_64, emulated: debian-12, on: { right: { vm: b, clean: { snapshot: sealed }, via: host, configuration: { vcpus: 1, memory: 512MiB } } } }
  moved: { product: debian, version: "12", arch: x86_64, emulated: debian-12, on: { wrong: { vm: c, clean: { snapshot: sealed }, via: host, configuration: { vcpus: 1, memory: 512MiB } } } }
suites: [builtin]
`

t.test('a guest or a host that is not what the lab says is an error of its bring-up', async t => {
  const folder = t.testdir()
  await writeFile(join(folder, 'lab.yaml'), lab)
  const { exitCode, stderr } = await execa(
    program,
    [...args, 'run', 'lab.yaml', '-o', 'reports', '--test', 'core/reachable', '--quiet'],
    { cwd: folder, reject: false, stdin: 'ignore' },
  )
  t.equal(exitCode, 3, stderr)
  const events = (await readFile(join(folder, 'reports/latest/journal.ndjson'), 'utf8'))
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line) as JournalEvent)
  const boots = new Map(
    events.flatMap(event =>
      event.type === 'test-ended' && event.test === 'guestcert/boot'
        ? [[event.environment.split('@')[0], event]]
        : [],
    ),
  )
  t.equal(boots.get('deb')?.verdict, 'pass')
  t.match(boots.get('other'), {
    verdict: 'error',
    cause: 'runner',
    reason: 'other: the lab declares debian 11, and it is debian 12',
  })
  t.match(boots.get('moved'), {
    verdict: 'error',
    cause: 'runner',
    reason: 'wrong: the lab declares rhel-kvm 8.10, and it is rhel-kvm 9.6',
  })
  const seen = events.flatMap(event => (event.type === 'host-observed' ? [event] : []))
  t.same(seen.map(({ host }) => host).sort(), ['right', 'wrong'], 'each host is asked once')
  t.equal(seen[0]?.facts.emulated, '1', 'an emulated host says so itself')
  const ready = events.flatMap(event => (event.type === 'instance-ready' ? [event] : []))
  t.equal(ready[0]?.facts.emulated, '1', 'and so does an emulated guest')
  t.match(seen[0]?.facts, { 'host product': /^Red Hat Enterprise Linux 9\.6/ })
})
