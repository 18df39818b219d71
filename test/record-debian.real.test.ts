/** A certificate for a real Debian guest of a real libvirt, by two parties. Needs root, QEMU and libvirt. */
import { copyFile, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'
import t from 'tap'
import { packageRoot } from '../src/config/package-root.js'
import { startRealHost } from '../src/hypervisors/libvirt/real-host.test.fixture.js'
import { guestcertProcess } from './cli-process.js'
import { libvirtLab } from './libvirt-lab.js'
import { trustKey } from './record-lab.js'

const [program, ...args] = guestcertProcess
const policy = join(packageRoot, 'policies/example-lab.yaml')
t.setTimeout(1_700_000)

const cwd = t.testdir()
const guestcert = (...words: string[]) =>
  execa(program, [...args, ...words], { cwd, reject: false, stdin: 'ignore' })
/** The leaf hash of the entry that a command has said that it recorded. */
const recorded = (stdout: string): string => /, ([0-9a-f]{64})$/m.exec(stdout)?.[1] ?? ''
/** What a command printed, that has to succeed. */
async function done(...words: string[]): Promise<string> {
  const { stdout } = await execa(program, [...args, ...words], { cwd, stdin: 'ignore' })
  return stdout
}

const real = await startRealHost(t)
const lab = await libvirtLab(real)
await writeFile(
  join(cwd, 'lab.yaml'),
  `lab: certified
defaults:
  limits: { boot: 10m, handshake: 60s, authentication: 60s, firstCommand: 60s, reboot: 10m }
hosts:
${lab.host}guests:
${lab.guest('debian', `{ overlay: ${real.vm.base} }`)}suites: [builtin]
`,
)
const genpkey = (...words: string[]) => execa('openssl', ['genpkey', '-algorithm', ...words], { cwd })
await genpkey('ed25519', '-out', 'log.pem')
await genpkey('ed25519', '-out', 'lab.pem')
await genpkey('EC', '-pkeyopt', 'ec_paramgen_curve:P-256', '-out', 'reviewer.pem')
await done('record', 'init', '--party', 'example-lab', '--log-key', 'log.pem')
await trustKey(cwd, { key: 'lab', party: 'example-lab', role: 'lab' })
await trustKey(cwd, { key: 'reviewer', party: 'example-review', role: 'reviewer' })

/** A registered run, recorded: the leaf hash of its entry. */
async function certify(...choice: string[]): Promise<string> {
  await done('run', 'lab.yaml', '--certify', '--key', 'lab.pem', '--quiet', ...choice)
  return recorded(await done('record', 'add', 'latest', '--key', 'lab.pem'))
}

t.test('a real Debian under libvirt is certified by two parties', async t => {
  const run = await certify('--suite', 'core')
  const early = await guestcert('record', 'decide', '--policy', policy, '--dry-run')
  t.match(
    early.stdout,
    /^debian-12-on-qemu-7\.2: not certified\n {2}run: [^\n]*\n {2}not-reproduced: [^\n]*$/,
    'nothing else stands against it',
  )

  const sample = ['--test', 'core/clock-monotonic']
  const challenge = recorded(await done('record', 'challenge', run, ...sample, '--key', 'reviewer.pem'))
  const rerun = await certify(...sample)
  await done('record', 'answer', challenge, rerun, '--key', 'lab.pem')

  const ours = await done('record', 'decide', '--policy', policy, '--key', 'lab.pem')
  t.notMatch(ours, /certificate GC-/, 'one party alone certifies nothing')
  t.match(
    await done('record', 'decide', '--policy', policy, '--key', 'reviewer.pem'),
    /certificate GC-\d{4}-[0-9a-f]{8}/,
  )
  t.match(await done('record', 'status'), /^debian-12-on-qemu-7\.2 +certified +\d{4}-/m)
})

t.test('the record of it is verified, and a bundle is made of it', async t => {
  await copyFile(join(cwd, 'record/checkpoint'), join(cwd, 'remembered'))
  const verified = await done('record', 'verify', '--head', 'remembered')
  t.match(verified, /2 journals folded again/)
  t.match(verified, /nothing was changed/)
  await done('record', 'export', 'bundle')
  t.match(await done('record', 'verify', '--record', 'bundle/record'), /2 journals folded again/)
  const page = await readFile(join(cwd, 'bundle/catalogue/debian-12-on-qemu-7.2.html'), 'utf8')
  t.match(page, /certificate GC-\d{4}-[0-9a-f]{8}/)
  t.match(page, /Call example-lab first\. example-lab brings in example-review/)
})

t.test('one verdict that is changed in the journal afterwards is found', async t => {
  const journal = join(cwd, 'bundle/record')
  const { stdout: kept } = await execa('ls', [join(journal, 'runs')])
  const file = join(journal, 'runs', kept.split('\n')[0] ?? '', 'journal.ndjson')
  const text = await readFile(file, 'utf8')
  await writeFile(file, text.replace('"test":"core/reachable"', '"test":"core/reachablf"'))
  const { exitCode, stdout } = await guestcert('record', 'verify', '--record', 'bundle/record')
  t.equal(exitCode, 1)
  t.match(stdout, /^runs\/[0-9a-f]{64}\/journal\.ndjson: /m)
})
