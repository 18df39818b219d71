/** Whatever a lab file, a run's folder, a guest or a server says, no command shows what a terminal would obey. */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { password, type ServerOptions, startServer } from '../src/remote/server.test.fixture.js'
import { safeJson } from '../src/text/json.js'
import { guestcert } from './cli-io.js'
import { sampleEnvironment, sampleJournal, samplePlan, sampleTest } from './sample-run.js'
import { storeRun } from './stored-run.js'

t.setTimeout(120_000)
process.env.ESCAPES_SECRET = password

/** Each kind of what a terminal acts upon, with a word in it that shows that the text was there. */
const hostile = [
  '\x1b[2J\x1b[8mHIDDEN\x1b[0m',
  '\x1b]0;TITLE\x07',
  '\x1b]8;;http://x\x1b\\LINK',
  '\x1bP+q\x1b\\',
  '\x9b31mC1',
  '\x9d0;C1\x9c',
  '\u0085\u0090',
  '\u202eRTL\u202c\u2066ISO\u2069\u200f\u061c',
  '\x07\x08\x0b\x0c\x0e\x7f\r',
  '\u2028\u2029',
].join('')
const quoted = JSON.stringify(hostile).replace(
  /[\x7f-\uffff]/g,
  found => `\\u${found.charCodeAt(0).toString(16).padStart(4, '0')}`,
)

/** Our own colours, where they are asked for. */
const styles = /\x1b\[(?:0|1|2|22|3[0-7]|39|9[0-7])m/g
const obeyed = /[\0-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/u

/** A command line as the name of a check. */
function named(argv: readonly string[]): string {
  return safeJson(argv.map(word => (word === hostile ? 'HOSTILE' : word)))
}

interface Shown {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** Carries a command out without colours and with them, and looks at every byte of both streams. */
async function look(t: Test, argv: readonly string[], cwd: string, shows?: RegExp): Promise<Shown> {
  let last: Shown = { code: -1, stdout: '', stderr: '' }
  for (const more of [[], ['--color']]) {
    last = await guestcert([...argv, ...more], { cwd, columns: 100 })
    for (const stream of ['stdout', 'stderr'] as const) {
      const text = more.length === 0 ? last[stream] : last[stream].replace(styles, '')
      const at = text.replaceAll(styles, '').search(obeyed)
      t.equal(
        at,
        -1,
        `${named(argv)}: ${stream}: ${at < 0 ? '' : safeJson(text.slice(Math.max(0, at - 20), at + 20))}`,
      )
    }
    if (shows !== undefined) t.match(last.stdout + last.stderr, shows, `${named(argv)}: the text is there`)
  }
  return last
}

async function labIn(t: Test, options: ServerOptions = {}, isReserved = false): Promise<string> {
  const server = await startServer(options)
  t.teardown(() => server.close())
  const folder = t.testdir({
    'lab.yaml': `lab: escapes
defaults: { retries: 0, limits: { boot: 20s, login: 1s } }
hosts:
  here: { product: rhel-kvm, version: "9.6", driver: static${isReserved ? `, reserved: { by: ${quoted}, until: "2099-01-01T00:00Z", why: ${quoted} }` : ''} }
guests:
  deb:
    product: debian
    version: "12"
    arch: x86_64
    login: { user: root, password: env:ESCAPES_SECRET, hostKey: "${server.fingerprints[0]}" }
    on: { here: { address: "127.0.0.1:${server.port}", configuration: { vcpus: 1 } } }
suites: [./says]
`,
    says: {
      'suite.yaml': `suite: says
version: 1.0.0
title: ${quoted}
tests:
  - { id: script, title: ${quoted}, requirements: [S-0], level: required, script: a.sh, protocol: tap }
  - { id: windows, title: ${quoted}, requirements: [S-1], level: required, script: a.sh, protocol: tap, needs: { host: [pause] } }
`,
      'a.sh': `#!/bin/sh\ncat <<'END'\n1..2\nok 1 - ${hostile.replaceAll('\r', '')}\nnot ok 2 - ${hostile}\n  ---\n  said: |\n    ${hostile}\n  ...\nEND\nexit 1\n`,
    },
  })
  return folder
}

t.test('a lab whose every text is hostile: list, plan, lab, and their JSON', async t => {
  const cwd = await labIn(t, {}, true)
  for (const what of ['suites', 'tests', 'guests', 'hosts', 'products', 'requirements']) {
    await look(t, ['list', what, 'lab.yaml'], cwd)
    const { code, stdout } = await look(t, ['list', what, 'lab.yaml', '--json'], cwd)
    if (code === 0) JSON.parse(stdout.replaceAll(styles, ''))
  }
  await look(t, ['plan', 'lab.yaml', '--as', 'me'], cwd)
  await look(t, ['plan', 'lab.yaml', '--json'], cwd)
  await look(t, ['lab', 'clean', 'lab.yaml'], cwd)
  await look(t, ['lab', 'status', 'lab.yaml'], cwd)
})

t.test('mistakes that quote what was written', async t => {
  const cwd = t.testdir()
  const labs: Readonly<Record<string, string>> = {
    'an unknown key': `lab: x\n${quoted}: 1\n`,
    'names that are none': `lab: ${quoted}\nhosts: { ${quoted}: { product: ${quoted}, version: ${quoted}, driver: ${quoted} } }\nguests: { ${quoted}: { product: ${quoted} } }\nsuites: [${quoted}]\n`,
    'no YAML': `lab: [${hostile}\n`,
    'a raw text': `lab: "${hostile}"\nhosts: "${hostile}"\n`,
  }
  for (const [what, text] of Object.entries(labs)) {
    await writeFile(join(cwd, 'lab.yaml'), text)
    for (const command of ['plan', 'run', 'doctor']) {
      const { code } = await look(t, [command, 'lab.yaml'], cwd)
      t.equal(code, 2, what)
    }
  }
  for (const argv of [
    [hostile],
    ['run', hostile],
    ['run', 'lab.yaml', `--${hostile}`],
    ['list', hostile],
    ['report', hostile],
    ['help', hostile],
    ['capture', 'lab.yaml', hostile],
    ['prove', '--suite', hostile],
    ['shell', hostile, hostile],
    ['reports', 'prune', '--older-than', hostile],
  ]) {
    await look(t, argv, cwd)
  }
})

t.test('a hostile guest, in every reporter, and in doctor, capture and report', async t => {
  const cwd = await labIn(t, { banner: `${hostile}\n` })
  for (const reporter of ['auto', 'plain', 'quiet', 'json']) {
    const { code } = await look(t, ['run', 'lab.yaml', '--reporter', reporter], cwd)
    t.equal(code, 1, `${reporter}: ${safeJson((await guestcert(['plan', 'lab.yaml'], { cwd })).stderr)}`)
  }
  await look(t, ['report', 'latest'], cwd, /not ok - /)
  await look(t, ['doctor', 'lab.yaml'], cwd)
  await look(t, ['doctor', 'lab.yaml', '--json'], cwd)
  await look(t, ['capture', 'lab.yaml', 'deb'], cwd)
})

t.test('a server that refuses, and says so in its own words', async t => {
  const cwd = await labIn(t, {
    banner: `${hostile}\n`,
    authenticate: context => context.reject(['password']),
  })
  for (const argv of [
    ['run', 'lab.yaml'],
    ['doctor', 'lab.yaml'],
    ['capture', 'lab.yaml', 'deb'],
  ]) {
    await look(t, argv, cwd, /RTL/)
  }
})

t.test("a stranger's run, told again", async t => {
  const cwd = t.testdir()
  const environment = `deb@rhel-kvm-9.6/${hostile}`
  const plan = {
    ...samplePlan([
      sampleEnvironment(environment, [sampleTest('a/b', { title: hostile, manifest: hostile })], {
        leftOut: [{ test: hostile, why: hostile, level: 'required' }],
      }),
    ]),
    lab: hostile,
    reserved: [{ id: hostile, why: hostile }],
  }
  const journal = sampleJournal(plan)
    .add({ type: 'instance-started', environment, instance: hostile, host: hostile, attempt: 1 })
    .add({ type: 'instance-failed', environment, instance: hostile, cause: 'host', message: hostile })
    .add({
      type: 'waiting',
      environment,
      what: hostile,
      since: '2026-11-22T10:15:00.000Z',
      until: '2026-11-22T10:15:00.000Z',
      limit: hostile,
    })
    .add({ type: 'host-set-aside', host: hostile, failures: 1, reason: hostile })
    .add({ type: 'environment-moved', environment, from: hostile, to: hostile, reason: hostile })
    .test(environment, 'a/b', 'fail', {
      instance: hostile,
      reason: hostile,
      seen: [{ state: 'not-ok', text: hostile, diagnostics: hostile }],
    })
    .add({
      type: 'instance-ended',
      environment,
      instance: hostile,
      undone: [],
      orphan: hostile,
      kept: true,
      evidence: [],
    })
  await mkdir(join(cwd, 'reports'))
  await storeRun(join(cwd, 'reports/20261122-101500-a1b2'), plan, journal.events)
  await look(t, ['report', '2026'], cwd, /1 failed/)
  await look(t, ['report', '2026', '--to', 'junit=x'], cwd)
  await look(t, ['shell', '2026', 'deb'], cwd)
  await look(t, ['shell', '2026', 'nothing'], cwd)
})
