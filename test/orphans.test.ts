import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { packageRoot } from '../src/config/package-root.js'
import type { JournalEvent } from '../src/journal/events.js'
import { guestcert } from './cli-io.js'

t.setTimeout(240_000)

/** A host that is gone as soon as a guest is to be removed from it. */
const lab = `lab: orphans
defaults: { limits: { boot: 60s, undo: 5s }, retries: 0 }
hosts:
  kvm: { product: rhel-kvm, version: "9.6", driver: libvirt, emulated: rhel-9-kvm, faults: { gone: { command: undefine } } }
guests:
  deb:
    product: debian
    version: "12"
    arch: x86_64
    emulated: debian-12
    on: { kvm: { vm: deb, clean: { overlay: /var/lib/libvirt/images/deb.qcow2 }, via: host, configuration: { memory: 1GiB, vcpus: 1 } } }
suites: [${join(packageRoot, 'fixtures/test-suites/steady')}]
`

t.test('a machine that was not removed is an orphan in journal, terminal and summary', async t => {
  const folder = t.testdir({ 'lab.yaml': lab })
  const { stdout } = await guestcert(['run', join(folder, 'lab.yaml'), '-o', join(folder, 'reports')])
  const run = join(folder, 'reports/latest')
  const journal = (await readFile(join(run, 'journal.ndjson'), 'utf8')).trimEnd().split('\n')
  const events = journal.map(line => JSON.parse(line) as JournalEvent)
  const ended = events.flatMap(event => (event.type === 'instance-ended' ? [event] : []))
  t.match(ended, [{ orphan: /^remove: ./, kept: false }])
  t.notOk(ended[0]?.undone.includes('remove'), 'nothing is called removed that was not seen to be')
  const instance = ended[0]?.instance ?? ''
  t.match(stdout, `instance ${instance} left something behind: remove: `)
  t.match(stdout, /Left behind on hosts \(1\)\n/)
  t.match(stdout, `${instance} on kvm: remove: `)
  const summary = JSON.parse(await readFile(join(run, 'summary.json'), 'utf8')) as { orphans: object[] }
  t.match(summary.orphans, [
    { environment: 'deb@rhel-kvm-9.6/', instance, host: 'kvm', what: ended[0]?.orphan ?? 'an orphan' },
  ])
})
