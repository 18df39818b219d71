import { generateKeyPairSync } from 'node:crypto'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { registrationDigits } from '../src/config/registration.js'
import { guestcert } from './cli-io.js'

const lab = `lab: emulated
hosts:
  kvm: { product: debian-kvm, version: "12", driver: static, emulated: rhel-9-kvm }
guests:
  deb: { product: debian, version: "12", arch: x86_64, emulated: debian-12, on: { kvm: { configuration: { vcpus: 1, memory: 512MiB } } } }
suites: [builtin]
`

t.test('a registration is for one run: it is not begun again until it passes', async t => {
  const cwd = t.testdir({ 'lab.yaml': lab })
  for (const name of ['log.pem', 'lab.pem']) {
    const pem = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' })
    await writeFile(join(cwd, name), pem)
  }
  const run = (...args: string[]) => guestcert(args, { cwd })
  await run('record', 'init', '--party', 'example-lab', '--log-key', 'log.pem')
  const key = await run(
    'record',
    'key',
    'lab.pem',
    '--name',
    'lab',
    '--party',
    'example-lab',
    '--role',
    'lab',
  )
  const trust = join(cwd, 'record/trust.yaml')
  const indented = key.stdout.replace(/^(?!#)/gm, '  ').trimEnd()
  await writeFile(trust, (await readFile(trust, 'utf8')).replace('keys: {}', `keys:\n${indented}`))
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
