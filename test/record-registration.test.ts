import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { registrationDigits } from '../src/config/registration.js'
import { guestcert } from './cli-io.js'
import { trustLabKey, writeKeyFiles } from './record-lab.js'

const lab = `lab: emulated
hosts:
  kvm: { product: debian-kvm, version: "12", driver: static, emulated: rhel-9-kvm }
guests:
  deb: { product: debian, version: "12", arch: x86_64, emulated: debian-12, on: { kvm: { configuration: { vcpus: 1, memory: 512MiB } } } }
suites: [builtin]
`

t.test('a registration is for one run: it is not begun again until it passes', async t => {
  const cwd = t.testdir({ 'lab.yaml': lab })
  await writeKeyFiles(cwd, ['log.pem', 'lab.pem'])
  const run = (...args: string[]) => guestcert(args, { cwd })
  await run('record', 'init', '--party', 'example-lab', '--log-key', 'log.pem')
  await trustLabKey(cwd)
  const registered = await run(
    'record',
    'register',
    'lab.yaml',
    '--test',
    'core/identity',
    '--key',
    'lab.pem',
  )
  const leaf = /, ([0-9a-f]{64})$/m.exec(registered.stdout)?.[1] ?? ''
  const begun = `20261130-101500-${leaf.slice(0, registrationDigits)}`
  await mkdir(join(cwd, 'reports', begun), { recursive: true })
  await writeFile(join(cwd, 'reports', begun, 'journal.ndjson'), '')
  const again = await run('run', 'lab.yaml', '--test', 'core/identity', '--certify', '--registration', leaf)
  t.match(again, { code: 2, stderr: new RegExp(`was begun already, as ${begun}`) })
})
