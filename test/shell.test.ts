/** `guestcert shell` logs in as the run did, with nothing but names from the run's folder. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { chmod, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import {
  keyPair,
  type ServerOptions,
  startServer,
  type TestServer,
} from '../src/remote/server.test.fixture.js'
import { guestcertProcess } from './cli-process.js'
import { sampleEnvironment, sampleJournal, samplePlan, sampleTest } from './sample-run.js'
import { storeRun } from './stored-run.js'

const key = keyPair('ed25519')
const environment = 'deb@rhel-kvm-9.6/1vcpu'

async function serverFor(t: Test, options: ServerOptions = {}): Promise<TestServer> {
  const server = await startServer(options)
  t.teardown(() => server.close())
  return server
}

interface Around {
  readonly server: TestServer
  readonly address?: string
  readonly hint?: string
  readonly hostKey?: string
  readonly fingerprint?: string
}

/** A folder with a lab, its key, and a run that kept the lab's guest. */
async function kept(t: Test, { server, address, hint = 'ssh nowhere', ...around }: Around): Promise<string> {
  const fingerprint = around.fingerprint ?? server.fingerprints[0] ?? ''
  const folder = t.testdir({
    'lab.yaml': `lab: kept
hosts: { here: { product: rhel-kvm, version: "9.6", driver: static } }
guests:
  deb:
    product: debian
    version: "12"
    arch: x86_64
    login: { user: tester, key: file:${join(t.testdirName, 'key')}, hostKey: "${fingerprint}" }
    on: { here: { address: "${address ?? `127.0.0.1:${server.port}`}", configuration: { vcpus: 1 } } }
suites: [builtin]
`,
  })
  await writeFile(join(folder, 'key'), key.private)
  await chmod(join(folder, 'key'), 0o600)
  const plan = samplePlan([
    sampleEnvironment(environment, [sampleTest('a/b')], {
      configuration: { name: '1vcpu', vcpus: 1 },
      hosts: ['here'],
    }),
  ])
  const journal = sampleJournal(plan)
    .add({ type: 'instance-started', environment, instance: 'i1', host: 'here', attempt: 1 })
    .add({
      type: 'instance-ready',
      environment,
      instance: 'i1',
      bootIdentity: 'b',
      hostKey: around.hostKey ?? server.fingerprints[0] ?? '',
      factsDigest: 'f',
      facts: {},
    })
    .test(environment, 'a/b', 'fail')
    .add({
      type: 'instance-ended',
      environment,
      instance: 'i1',
      undone: [],
      orphan: hint,
      kept: true,
      evidence: [],
    })
  await storeRun(join(folder, 'reports/20261122-101500-a1b2'), plan, journal.events)
  await mkdir(join(folder, 'home'))
  return folder
}

async function shell(
  folder: string,
  typed: string,
  more: readonly string[] = [],
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const [program, ...args] = guestcertProcess
  const child = spawn(program, [...args, 'shell', '2026', 'deb', ...more], {
    cwd: folder,
    env: { ...process.env, HOME: join(folder, 'home'), SSH_AUTH_SOCK: '' },
  })
  const said = { stdout: '', stderr: '' }
  child.stdout.on('data', chunk => {
    said.stdout += String(chunk)
  })
  child.stderr.on('data', chunk => {
    said.stderr += String(chunk)
  })
  child.stdin.end(typed)
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, ...said }
}

t.test("it logs in with the lab's user, key and pinned host key, and ends as the shell ends", async t => {
  const users: string[] = []
  const server = await serverFor(t, {
    authenticate: context => {
      users.push(`${context.username} ${context.method}`)
      if (context.method === 'publickey') context.accept()
      else context.reject(['publickey'])
    },
  })
  const folder = await kept(t, { server })
  const well = await shell(folder, 'echo "it is $((40 + 2))"\nexit 0\n')
  t.equal(well.code, 0, well.stderr)
  t.equal(well.stdout, 'it is 42\n')
  t.ok(users.includes('tester publickey'), users.join())
  t.equal((await shell(folder, 'exit 7\n')).code, 3)
})

t.test('it goes through the jump hosts of the lab', async t => {
  const server = await serverFor(t)
  const jump = await serverFor(t, { forwards: true })
  const folder = await kept(t, { server })
  await mkdir(join(folder, 'home/.ssh'))
  // As ssh(1), with what the user's own configuration says of the guest.
  await writeFile(
    join(folder, 'home/.ssh/config'),
    `Host 127.0.0.1\n  ProxyJump localhost:${jump.port}\nHost localhost\n  User jumper\n`,
  )
  const refused = await shell(folder, 'exit 0\n')
  t.match(refused, { code: 3, stderr: /at the jump host localhost/ }, "the jump's key is not known")
  t.ok(jump.counts.connections > 0)
  t.equal(server.counts.connections, 0, 'no way around it')
})

t.test('another host key than the pinned one, or than the run saw, gets nobody in', async t => {
  const server = await serverFor(t)
  const other = `SHA256:${'A'.repeat(43)}`
  const pinned = await shell(await kept(t, { server, fingerprint: other }), 'echo in\n')
  t.match(pinned, { code: 3, stdout: '' })
  t.match(pinned.stderr, other)
})

t.test('nor does a machine that has taken the address of the one that was kept', async t => {
  const server = await serverFor(t)
  const seen = await shell(await kept(t, { server, hostKey: `SHA256:${'B'.repeat(43)}` }), 'echo in\n')
  t.match(seen, { code: 2, stdout: '', stderr: /the run saw SHA256:BBB/ })
})

t.test("what a stranger's run says is not carried out", async t => {
  const server = await serverFor(t)
  const pwned = join(t.testdirName, 'pwned')
  for (const hint of [
    `ssh -oProxyCommand=touch\${IFS}${pwned} x`,
    `ssh -F ${join(t.testdirName, 'reports/20261122-101500-a1b2/config')} guest`,
    `touch ${pwned}`,
  ]) {
    const folder = await kept(t, { server, hint })
    await writeFile(
      join(folder, 'reports/20261122-101500-a1b2/config'),
      `Host *\n  ProxyCommand touch ${pwned}\n`,
    )
    t.match(await shell(folder, 'echo in\n'), { code: 0, stdout: 'in\n' }, 'the lab says where it is')
  }
  t.notOk(existsSync(pwned))
})

t.test("a lab file in the run's folder is not read: it may name drivers", async t => {
  const server = await serverFor(t)
  const folder = await kept(t, { server })
  const inside = join(folder, 'reports/20261122-101500-a1b2')
  const pwned = join(t.testdirName, 'pwned')
  await writeFile(join(inside, 'lab.yaml'), 'lab: foreign\ndrivers: [./driver.mjs]\n')
  await writeFile(
    join(inside, 'driver.mjs'),
    `import { writeFileSync } from 'node:fs'\nwriteFileSync(${JSON.stringify(pwned)}, '')\n`,
  )
  const { code, stderr } = await shell(folder, 'echo in\n', ['--lab', join(inside, 'lab.yaml')])
  t.equal(code, 2)
  t.match(stderr, /lies in the run's folder/)
  t.notOk(existsSync(pwned))
})
