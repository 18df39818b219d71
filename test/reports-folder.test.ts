/** The folder of reports on poor file systems, and while somebody interferes with it. */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { lstat, readdir, readFile, rm } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import t, { type Test } from 'tap'
import { guestcert } from './cli-io.js'
import { guestcertProcess } from './cli-process.js'

const compiled = import.meta.url.endsWith('.js')
const poorFileSystem = pathToFileURL(
  fileURLToPath(new URL(`./poor-file-system.${compiled ? 'js' : 'ts'}`, import.meta.url)),
).href

/** Two suites, whose names and those of their tests come to the same when joined by a dot. */
function labIn(t: Test): string {
  return t.testdir({
    'lab.yaml': `lab: reports
hosts: { here: { product: rhel-kvm, version: "9.6", driver: static } }
guests:
  aux: { product: debian, version: "12", arch: x86_64, emulated: debian-12, on: { here: { configuration: {} } } }
suites: [./net, ./net.ipv6]
`,
    net: { 'suite.yaml': manifest('net', 'ipv6.ping'), 'a.sh': '#!/bin/sh\necho "this is net"\n' },
    'net.ipv6': {
      'suite.yaml': manifest('net.ipv6', 'ping'),
      'a.sh': '#!/bin/sh\necho "this is net.ipv6"\n',
    },
  })
}

function manifest(suite: string, test: string): string {
  return `suite: ${suite}
version: 1.0.0
title: Says its name
tests:
  - { id: ${test}, title: Says its name, requirements: [N-1], level: required, script: a.sh, protocol: exit }
`
}

interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

async function run(
  folder: string,
  before: readonly string[] = [],
  onOutput: (text: string, pid: number) => void = () => {},
): Promise<Ended> {
  const [program = '', ...args] = [...before, ...guestcertProcess, 'run', 'lab.yaml', '--reporter', 'json']
  const { HOME: _, USER: _user, LOGNAME: _logname, ...env } = process.env
  const runner = spawn(program, args, {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: before.includes('unshare') ? env : process.env,
  })
  const said = { stdout: '', stderr: '' }
  runner.stdout.on('data', chunk => {
    said.stdout += String(chunk)
    onOutput(said.stdout, runner.pid ?? 0)
  })
  runner.stderr.on('data', chunk => {
    said.stderr += String(chunk)
  })
  const [code] = (await once(runner, 'close')) as [number | null]
  return { code, ...said }
}

t.test(
  'without links, fsync, owners and modes a run goes on, says so once, and latest is a text file',
  async t => {
    const folder = labIn(t)
    const [program, ...args] = guestcertProcess
    const ended = spawnSync(program, ['--import', poorFileSystem, ...args, 'run', 'lab.yaml'], {
      cwd: folder,
      encoding: 'utf8',
    })
    t.equal(ended.status, 0, ended.stderr)
    t.equal(ended.stderr.match(/latest is a text file, because .* \(EPERM\)/g)?.length, 1, ended.stderr)
    t.equal(ended.stderr.match(/cannot force files to disk \(EINVAL\)/g)?.length, 1, ended.stderr)
    const latest = join(folder, 'reports/latest')
    t.ok((await lstat(latest)).isFile())
    t.match(await guestcert(['report', 'latest', '--reports', join(folder, 'reports')]), {
      code: 0,
      stdout: /3 passed/,
    })

    await t.test('tests of suites whose names run together have a file each', async t => {
      const evidence = join(folder, 'reports', (await readFile(latest, 'utf8')).trim(), 'evidence')
      const files = (await readdir(evidence, { recursive: true })).filter(name =>
        name.endsWith('.stdout.txt'),
      )
      const texts = await Promise.all(files.map(name => readFile(join(evidence, name), 'utf8')))
      t.same(texts.sort(), ['this is net\n', 'this is net.ipv6\n'])
    })

    await t.test('every name is one that Windows and CIFS servers take', async t => {
      const names = (await readdir(join(folder, 'reports'), { recursive: true })).map(path => basename(path))
      t.ok(names.length > 10, 'the guest, its suites and their tests are there')
      for (const name of names) {
        t.match(
          name,
          /^(?!(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$))[^\\/:*?"<>|\0-\x1f]{1,143}(?<![. ])$/i,
          name,
        )
      }
    })
  },
)

t.test('a folder that is removed during the run ends it with 4', async t => {
  const folder = labIn(t)
  let harmed: Promise<void> | null = null
  const { code, stderr } = await run(folder, [], (text, pid) => {
    if (harmed === null && text.includes('instance-started')) {
      // Held still, so that it cannot end before.
      process.kill(pid, 'SIGSTOP')
      harmed = rm(join(folder, 'reports'), { recursive: true }).then(() => {
        process.kill(pid, 'SIGCONT')
      })
    }
  })
  await harmed
  t.equal(code, 4, stderr)
  t.match(stderr, /the journal cannot be written: .*journal\.ndjson was removed/)
  t.notOk((await readdir(folder)).includes('reports'), 'nothing is written in its place')
})

const asNobody = ['unshare', '--user', '--map-user=54321', '--map-group=54321']
const canBeNobody = spawnSync(asNobody[0] ?? '', [...asNobody.slice(1), 'true']).status === 0

t.test(
  'a user id without a name and without a home can run',
  { skip: canBeNobody ? false : 'no user namespaces here' },
  async t => {
    const { code, stdout, stderr } = await run(labIn(t), asNobody)
    t.equal(code, 0, stderr + stdout)
  },
)
