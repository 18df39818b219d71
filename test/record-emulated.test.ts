/** An emulated guest that a lab passes off as a real one: nothing it shows says what it is, but its host key. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'
import t from 'tap'
import { packageRoot } from '../src/config/package-root.js'
import type { JournalEvent } from '../src/journal/events.js'
import type { Plan } from '../src/plan/types.js'
import { guestcert } from './cli-io.js'
import { guestcertProcess } from './cli-process.js'
import { startWindows } from './emulated-windows.js'
import { trustLabKey, writeKeyFiles } from './record-lab.js'

t.test('connect: to the port of an emulated Windows guest certifies nothing', async t => {
  const guest = await startWindows('windows-2022')
  t.teardown(() => guest.close())
  const cwd = t.testdir({
    'lab.yaml': `lab: passed-off
hosts: { here: { product: rhel-kvm, version: "9.6", driver: static } }
guests:
  windows:
    product: windows-server
    version: "2022"
    arch: x86_64
    login: { user: Administrator, password: env:PASSWORD, hostKey: "${guest.hostKeyFingerprint}" }
    on: { here: { address: "${guest.host}:${guest.port}", configuration: {} } }
suites: [builtin]
`,
  })
  await writeKeyFiles(cwd, ['log.pem', 'lab.pem'])
  await guestcert(['record', 'init', '--party', 'example-lab', '--log-key', 'log.pem'], { cwd })
  await trustLabKey(cwd)
  const [program, ...args] = guestcertProcess
  await execa(
    program,
    [...args, 'run', 'lab.yaml', '--test', 'windows/version', '--certify', '--key', 'lab.pem', '--quiet'],
    { cwd, stdin: 'ignore', env: { PASSWORD: 'secret' } },
  )
  const [plan, journal] = await Promise.all(
    ['plan.json', 'journal.ndjson'].map(name => readFile(join(cwd, 'reports/latest', name), 'utf8')),
  )
  t.equal((JSON.parse(plan ?? '') as Plan).environments[0]?.emulated, false, 'the lab says nothing of it')
  const events = (journal ?? '')
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line) as JournalEvent)
  const ready = events.find(event => event.type === 'instance-ready')
  t.match(ready, { hostKey: guest.hostKeyFingerprint })
  t.notOk('emulated' in (ready?.facts ?? {}), 'nor does the guest')

  t.match(await guestcert(['record', 'add', 'latest', '--key', 'lab.pem'], { cwd }), { code: 0 })
  const policy = join(packageRoot, 'policies/joint-support.yaml')
  t.match(await guestcert(['record', 'decide', '--policy', policy, '--dry-run'], { cwd }), {
    code: 1,
    stdout: /^windows-server-2022-on-rhel-9: not certified\n {2}run: [^\n]*\n {2}emulated: /,
  })
})
