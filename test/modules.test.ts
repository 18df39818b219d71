import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'
import t from 'tap'
import type { Verdict } from '../src/journal/events.js'
import { guestcert } from './cli-io.js'
import { guestcertProcess } from './cli-process.js'

interface Kind {
  /** The module's body, with `guest`, `host`, `expect`, `signal` and `skip` in scope. */
  readonly body: string
  /** Before the body, outside of it. */
  readonly head?: string
  readonly verdict: Verdict
  readonly cause?: string
  readonly reason?: RegExp
  readonly limit?: string
}

const held = `expect(1).toBe(1, 'one is one');`
const ownFault = { verdict: 'error', cause: 'test' } as const

/** Modules that misbehave, each in one way; and beside them sound ones that look alike. */
const kinds: Readonly<Record<string, Kind>> = {
  'exits-0': { body: `${held} process.exit()`, ...ownFault, reason: /process\.exit/ },
  'exits-after-end': {
    body: `${held} setTimeout(() => process.exit(0), 50)`,
    ...ownFault,
    reason: /after the module had returned/,
  },
  'kills-itself': { body: `${held} process.kill(process.pid, 'SIGKILL')`, ...ownFault, reason: /SIGKILL/ },
  'terminates-itself': {
    body: `${held} process.kill(process.pid); await new Promise(() => setInterval(() => {}, 1000))`,
    ...ownFault,
    reason: /SIGTERM/,
  },
  'fails-and-dies': {
    body: `for (let i = 0; i < 500; i++) expect(1).toBe(1, 'check ' + i); expect(1).toBe(2, 'one is two'); process.kill(process.pid, 'SIGKILL')`,
    verdict: 'fail',
    cause: 'guest',
    reason: /one is two/,
  },
  aborts: { body: `${held} process.abort()`, ...ownFault },
  'closes-descriptors': {
    head: `import { closeSync } from 'node:fs'`,
    body: `${held} for (let fd = 3; fd < 60; fd++) { try { closeSync(fd) } catch {} }`,
    ...ownFault,
  },
  'fills-the-heap': {
    body: `${held} const all = []; for (;;) all.push(new Array(1000).fill({ a: 1 }).map(x => ({ ...x })))`,
    ...ownFault,
    reason: /memory/,
    limit: '60s',
  },
  'fills-the-memory': {
    body: `${held} const all = []; for (;;) { all.push(Buffer.alloc(4 << 20, 1)); await new Promise(r => setTimeout(r, 1)) }`,
    ...ownFault,
    reason: /memory/,
    limit: '60s',
  },
  loops: { body: `${held} for (;;) {}`, ...ownFault, reason: /limit "test"/, limit: '2s' },
  'loops-after-end': { body: `${held} setTimeout(() => { for (;;) {} }, 10)`, ...ownFault, reason: /busy/ },
  'blocks-in-a-program': {
    head: `import { execFileSync } from 'node:child_process'`,
    body: `${held} execFileSync('sleep', ['600'])`,
    ...ownFault,
    reason: /limit "test"/,
    limit: '2s',
  },
  'waits-for-nothing': {
    body: `${held} await new Promise(() => {})`,
    ...ownFault,
    reason: /never comes/,
  },
  'waits-too-long': {
    body: `${held} await guest.run('sleep 600')`,
    verdict: 'error',
    cause: 'unknown',
    reason: /limit "test"/,
    limit: '2s',
  },
  'leaves-a-timer': {
    body: `${held} setInterval(() => {}, 1000)`,
    ...ownFault,
    reason: /does not end \(limit: moduleEnd\): Timeout/,
  },
  'rejects-unheard': {
    body: `${held} void Promise.reject(new Error('stray')); await guest.run('true')`,
    ...ownFault,
    reason: /stray/,
  },
  'throws-later': {
    body: `${held} setTimeout(() => { throw new RangeError('later') }, 50)`,
    ...ownFault,
    reason: /RangeError: later/,
  },
  'forgets-to-await-a-call': {
    body: `${held} void guest.readFile('/no/such/file')`,
    ...ownFault,
    reason: /guest\.readFile/,
  },
  'checks-after-its-end': {
    body: `${held} setTimeout(() => expect(1).toBe(2, 'too late'), 50)`,
    ...ownFault,
    reason: /the check "too late"/,
  },
  'calls-after-its-end': {
    body: `${held} setTimeout(() => { guest.run('true').catch(() => {}) }, 50)`,
    ...ownFault,
    reason: /guest\.run/,
  },
  'asks-about-a-promise': {
    body: `expect(guest.run('true')).not.toBe('bad', 'not bad'); await guest.run('true')`,
    verdict: 'fail',
    cause: 'guest',
    reason: /not bad/,
  },
  'asks-nothing': { body: `${held} expect(2)`, ...ownFault, reason: /not asked/ },
  'checks-nothing': { body: `await guest.run('true')`, ...ownFault, reason: /without a check/ },
  'skips-late': { body: `${held} skip('no')`, ...ownFault, reason: /skip after 1 check/ },
  skips: { body: `skip('not here')`, verdict: 'skip', cause: 'guest', reason: /not here/ },
  'throws-a-class': {
    head: `class Own extends Error { name = 'OwnError' }`,
    body: `throw new Own('outer', { cause: new TypeError('inner') })`,
    ...ownFault,
    reason: /OwnError: outer \(cause: TypeError: inner\)/,
  },
  'gives-a-function-as-data': { body: `await guest.run(() => 'true')`, ...ownFault },
  'writes-on-the-frames': {
    head: `import { writeSync } from 'node:fs'`,
    body: `${held} writeSync(4, 'some text of its own'); await guest.run('true')`,
    ...ownFault,
  },
  'reboots-the-guest-unasked': {
    body: `${held} await guest.run('(sleep 0.2; reboot -f) </dev/null >/dev/null 2>&1 &'); await new Promise(r => setTimeout(r, 2500))`,
    verdict: 'fail',
    cause: 'guest',
    reason: /rebooted/,
  },
  'pollutes-its-world': {
    body: `${held} Object.assign(globalThis, { polluted: true }); Object.assign(Array.prototype, { polluted: 1 }); process.env.POLLUTED = 'yes'`,
    verdict: 'pass',
  },
  'waits-a-little-too-long-is-sound': { body: `${held} setTimeout(() => {}, 100)`, verdict: 'pass' },
  'prints-nothing': { body: `${held} await guest.run('true')`, verdict: 'pass' },
  'finds-a-fresh-world': {
    body: `expect([Reflect.get(globalThis, 'polluted'), Reflect.get([], 'polluted'), process.env.POLLUTED]).toEqual([undefined, undefined, undefined], 'nothing of another test is here')`,
    verdict: 'pass',
  },
  'keeps-classes': {
    body: `
      const refused = await Reflect.apply(guest.run, guest, ['true', { limit: 'soon' }]).catch((error: unknown) => error)
      expect(refused instanceof TypeError).toBe(true, 'a TypeError stays one')
      const unread = await guest.readFile('/no/such/file').catch(error => error)
      expect(unread instanceof Error && /could not be read/.test(unread.message)).toBe(true, 'the text stays')
      const first = await guest.clockOffset(); await guest.run('true'); const second = await guest.clockOffset()
      expect(Number.isFinite(second.ppmSince(first))).toBe(true, 'readings can be compared')
      expect(signal.aborted).toBe(false, 'the signal is there')`,
    verdict: 'pass',
  },
  'uses-typescript': {
    head: `import { setTimeout as wait } from 'node:timers/promises'
import type { Guest } from 'guestcert/api'
import { Guest as Unused, type Expect } from 'guestcert/api'
import { answer, type Answer } from './lib/answer.js'
import { answer as again } from './lib/answer'
import data from './lib/data.json' with { type: 'json' }
import { basename } from 'node:path'
enum Colour { Red = 'red' }
const early: Answer = await wait(1, answer)
async function ask(guest: Guest, value = 'x'): Promise<string> { return (await guest.run(\`echo \${value}\`)).stdout }`,
    body: `expect([await ask(guest), early, again, data.value, Colour.Red, basename(import.meta.url)]).toEqual(['x\\n', 42, 42, 7, 'red', 'uses-typescript.ts'], 'all of it works')
      const { answer: later } = await import('./lib/answer.ts'); expect(later).toBe(42, 'imported later')`,
    verdict: 'pass',
  },
  'moves-files': {
    body: `
      const folder = await guest.scratch()
      expect(await guest.scratch()).toBe(folder, 'one folder for each test')
      const bytes = Buffer.from([0, 255, 10, 13, 10, 0, 26, 128])
      await guest.writeFile(folder + '/it is "odd"', bytes)
      expect(Buffer.from(await guest.readBytes(folder + '/it is "odd"')).equals(bytes)).toBe(true, 'bytes come back')
      await guest.writeFile(folder + '/text', 'grüße\\n')
      expect(await guest.readFile(folder + '/text')).toBe('grüße\\n', 'text is UTF-8')
      const refused = await guest.writeFile('/no/such/folder/x', 'x').catch(error => error)
      expect(refused).toBeInstanceOf(Error, 'a file that cannot be written is said')
      attach('picture of it.bin', bytes); attach('notes', 'one '); attach('notes', 'two')
      await expect.poll(async () => (await guest.run('echo there')).stdout, { every: '10ms' }).toMatch('there', 'polled')`,
    verdict: 'pass',
  },
  prints: {
    head: `import { execSync } from 'node:child_process'`,
    body: `${held} console.log('to stdout', 42n); console.error('to stderr'); process.stdout.write('more\\n'); execSync('echo of a program', { stdio: 'inherit' })`,
    verdict: 'pass',
  },
}

/** Three guests share the work: each has the suite of its product. */
const products = ['debian', 'ubuntu', 'sles'] as const

function suiteFor(product: (typeof products)[number]): Record<string, string> {
  const own = Object.entries(kinds).filter((_, index) => products[index % products.length] === product)
  const tests = own.map(
    ([id, { limit = '20s' }]) =>
      `  - { id: ${id}, title: "${id}", requirements: [X-1], level: required, module: ${id}.ts, limit: ${limit} }`,
  )
  const modules = own.map(([id, { body, head = '' }]) => [
    `${id}.ts`,
    `import { test } from 'guestcert/api'\n${head}\nexport default test(async ({ guest, host, expect, signal, skip, attach }) => { ${body} })\n`,
  ])
  return {
    'suite.yaml': `suite: ${product}\nversion: 1.0.0\ntitle: Kinds\napi: 1\napplies: { guest: { product: ${product} } }\ntests:\n${tests.join('\n')}\n`,
    ...(Object.fromEntries(modules) as Record<string, string>),
  }
}

const lib = {
  'answer.ts': 'export type Answer = number\nexport const answer: Answer = 42\n',
  'data.json': '{ "value": 7 }',
}

function labOf(suites: string): string {
  return `lab: modules
defaults: { retries: 0, limits: { boot: 30s, moduleEnd: 1s, moduleMemory: 256MiB, recovery: 20s } }
hosts: { here: { product: rhel-kvm, version: "9.6", driver: static } }
guests:
  debian: { product: debian, version: "12", arch: x86_64, emulated: debian-12, on: { here: { configuration: {} } } }
  ubuntu: { product: ubuntu, version: "22.04", arch: x86_64, emulated: ubuntu-22.04, on: { here: { configuration: {} } } }
  sles: { product: sles, version: "15 SP5", arch: x86_64, emulated: sles-15, on: { here: { configuration: {} } } }
suites: [${suites}]
`
}

interface Summary {
  readonly environments: readonly {
    readonly tests: readonly {
      readonly test: string
      readonly verdict: Verdict
      readonly cause?: string
      readonly reason?: string
    }[]
  }[]
}

t.test('whatever a module does is told of its own test, and the run goes on', async t => {
  const folder = t.testdir({
    'lab.yaml': labOf('./suites'),
    suites: Object.fromEntries(products.map(name => [name, { ...suiteFor(name), lib: { ...lib } }])),
  })
  const [program, ...args] = guestcertProcess
  const { exitCode } = await execa(program, [...args, 'run', 'lab.yaml', '-o', 'reports', '-q'], {
    cwd: folder,
    reject: false,
  })
  t.equal(exitCode, 1)
  const run = join(folder, 'reports/latest')
  const summary = JSON.parse(await readFile(join(run, 'summary.json'), 'utf8')) as Summary
  const results = new Map(
    summary.environments.flatMap(({ tests }) =>
      tests.map(result => [result.test.replace(/^\w+\//, ''), result] as const),
    ),
  )
  for (const [id, { verdict, cause, reason }] of Object.entries(kinds)) {
    const found = results.get(id)
    const wanted = {
      verdict,
      ...(cause === undefined ? {} : { cause }),
      ...(reason === undefined ? {} : { reason }),
    }
    t.match(found, wanted, `${id}: ${found?.verdict} ${found?.cause ?? ''} ${found?.reason ?? ''}`)
  }
  const evidence = await readdir(join(run, 'evidence'), { recursive: true })
  const read = async (name: string): Promise<string> =>
    readFile(join(run, 'evidence', evidence.find(path => path.endsWith(name)) ?? name), 'utf8')
  const printed = await read('prints.1.stdout.txt')
  t.match(printed, /to stdout 42n\nmore\n/)
  t.match(printed, /of a program\n/)
  t.match(await read('prints.1.stderr.txt'), /to stderr\n/)
  t.equal(await read('moves-files.1.notes'), 'one two')
  const picture = evidence.find(path => /moves-files\.1\.picture_of_it\.bin-/.test(path)) ?? ''
  t.same(await readFile(join(run, 'evidence', picture)), Buffer.from([0, 255, 10, 13, 10, 0, 26, 128]))
})

t.test('files go to a Windows guest and back, and the scratch folder goes away', async t => {
  const module = `import { windowsTest } from 'guestcert/api'
export default windowsTest(async ({ guest, expect, attach }) => {
  const folder = await guest.scratch()
  const bytes = Buffer.from([0, 255, 10, 13, 10, 0, 26, 128])
  await guest.writeFile(folder + '\\\\one.bin', bytes)
  const back = await guest.readBytes(folder + '\\\\one.bin')
  expect(Buffer.from(back).equals(bytes)).toBe(true, 'bytes come back')
  attach('folder', folder)
})\n`
  const later = `import { windowsTest } from 'guestcert/api'
export default windowsTest(async ({ guest, expect }) => {
  const { stdout } = await guest.run('if exist "' + guest.folder + '\\\\win+files" (echo there) else (echo gone)')
  expect(stdout.trim()).toBe('gone', 'the scratch folder of the other test is gone')
})\n`
  const manifest = `suite: win\nversion: 1.0.0\ntitle: Windows\ntests:\n  - { id: files, title: Files, requirements: [X-1], level: required, module: files.ts }\n  - { id: later, title: Later, requirements: [X-1], level: required, module: later.ts }\n`
  const lab = `lab: win\ndefaults: { limits: { boot: 60s } }\nhosts: { here: { product: hyper-v, version: "2022", driver: static } }\nguests:\n  win: { product: windows-server, version: "2022", arch: x86_64, emulated: windows-2022, on: { here: { configuration: {} } } }\nsuites: [./win]\n`
  const folder = t.testdir({
    'lab.yaml': lab,
    win: { 'suite.yaml': manifest, 'files.ts': module, 'later.ts': later },
  })
  const { code, stdout } = await guestcert(['run', 'lab.yaml', '-o', 'reports', '--reporter', 'plain'], {
    cwd: folder,
  })
  t.equal(code, 0, stdout)
})

t.test('what is wrong with a module is said at planning, with its place', async t => {
  const broken = (name: string, text: string, more = ''): Record<string, string> => ({
    'suite.yaml': `suite: broken\nversion: 1.0.0\ntitle: Broken\n${more}tests:\n  - { id: one, title: One, requirements: [X-1], level: required, module: ${name} }\n`,
    [name]: text,
  })
  const good = `import { test } from 'guestcert/api'\nexport default test(async ({ expect }) => { expect(1).toBe(1, 'one') })\n`
  const cases: readonly (readonly [string, Record<string, string>, RegExp])[] = [
    ['type syntax', broken('one.ts', `${good}const x: = 3\n`), /broken\/one\.ts:3:10: Unexpected token/],
    ['syntax', broken('one.ts', `${good}\n  let let = 3\n`), /broken\/one\.ts:4:\d+: /],
    ['JavaScript', broken('one.js', `${good}const const\n`), /broken\/one\.js:3:\d+: /],
    [
      'a missing file',
      broken('one.ts', `${good}import { a } from './a.js'\na()\n`),
      /one\.ts:3:19: .*\.\/a\.js/,
    ],
    ['a package', broken('one.ts', `import a from 'left-pad'\na()\n${good}`), /one\.ts:1:15: .*left-pad/],
    ['outside', broken('one.ts', `${good}import { labOf } from '../lab.js'\nlabOf()\n`), /one\.ts:3:23: /],
    ['another api', broken('one.ts', good, 'api: 2\n'), /broken\/suite\.yaml:4:6: api: "2": expected 1/],
  ]
  for (const [name, files, wanted] of cases) {
    const folder = t.testdir({ [name]: { 'lab.yaml': labOf('./broken'), broken: files } })
    for (const command of ['plan', 'run']) {
      const { code, stderr } = await guestcert([command, 'lab.yaml'], { cwd: join(folder, name) })
      t.equal(code, 2, `${name}: ${stderr}`)
      t.match(stderr, wanted)
    }
  }
})

t.test('a debugger is let in before the first line of a module', async t => {
  const module = `import { test } from 'guestcert/api'\nexport default test(async ({ guest, expect }) => {\n  expect((await guest.run('true')).succeeded).toBe(true, 'a command runs')\n})\n`
  const manifest = `suite: one\nversion: 1.0.0\ntitle: One\napplies: { guest: { product: debian } }\ntests:\n  - { id: other, title: Other, requirements: [X-1], level: required, module: one.ts }\n  - { id: debugged, title: Debugged, requirements: [X-1], level: required, module: one.ts }\n`
  const folder = t.testdir({ 'lab.yaml': labOf('./one'), one: { 'suite.yaml': manifest, 'one.ts': module } })
  const [program, ...args] = guestcertProcess
  const run = execa(program, [...args, 'run', 'lab.yaml', '-o', 'reports', '--inspect', 'one/debugged'], {
    cwd: folder,
    reject: false,
  })
  let told = ''
  const address = await new Promise<string>((resolve, reject) => {
    run.stderr?.on('data', chunk => {
      told += String(chunk)
      const [, found] = /one\/debugged waits for a debugger at .*\(node inspect (\S+),/.exec(told) ?? []
      if (found !== undefined) resolve(found)
    })
    run.on('exit', () => reject(new Error(`it ended before: ${told}`)))
  })
  const client = execa(process.execPath, ['inspect', address], { reject: false, input: 'cont\n' })
  const { exitCode, stdout } = await run
  client.kill()
  await client
  t.equal(exitCode, 0, stdout)
  t.match(stdout, /one\/debugged/)
})
