/** Every command that prints results prints them for programs too, in the shape that docs/json.md has. */
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import stringWidth from 'string-width'
import t, { type Test } from 'tap'
import { stringify } from 'yaml'
import type { z } from 'zod'
import { commands, nameOf } from '../src/cli/commands.js'
import { shapes } from '../src/cli/shapes.js'
import { packageRoot } from '../src/config/package-root.js'
import { type ImageManifest, imageFiles } from '../src/hypervisors/shared/image.js'
import { imageFolderName, loadRecipe } from '../src/lab/images/recipe.js'
import { sampleRecord } from '../src/record/ledger/record.test.fixture.js'
import { harness, samplePolicy, suiteDigest } from '../src/record/sample.test.fixture.js'
import { guestcert } from './cli-io.js'
import { registeredRun } from './registered-run.js'

t.setTimeout(240_000)

const cwd = t.testdir({
  cache: {},
  'lab.yaml': `lab: small
hosts:
  here: { product: rhel-kvm, version: "9.6", driver: static, capacity: { guests: 1 } }
guests:
  ada: { product: debian, version: "12", arch: x86_64, emulated: debian-12, on: { here: { configuration: {} } } }
suites: [./own]
`,
  own: {
    'suite.yaml': `suite: own
version: 1.0.0
title: Holds
tests:
  - { id: prints, title: Holds, requirements: [O-1], level: required, script: prints.sh, protocol: exit }
`,
    'prints.sh': '#!/bin/sh\nexit 0\n',
  },
  'junit.xml': `<testsuites><testsuite name="s" tests="1" failures="0" errors="0" skipped="0" timestamp="2026-11-22T10:00:00">
<testcase classname="s" name="one" time="1"/></testsuite></testsuites>`,
  'mapping.yaml': stringify({ tool: 'pytest', tests: { 'own/prints': 's::one' } }),
  'pairing.yaml': stringify({
    guest: { product: 'debian', version: '12', arch: 'x86_64' },
    hypervisor: { product: 'rhel-kvm', version: '9.6' },
  }),
  'waivers.yaml': stringify({
    waivers: [
      {
        id: 'w-1',
        test: 'own/prints',
        guest: { product: 'debian', version: '12' },
        reason: 'known',
        link: 'https://bugs.example/1',
        owner: 'ann',
        approver: 'bob',
        expires: '2020-01-01',
      },
    ],
  }),
})

const before = process.env.GUESTCERT_CACHE
process.env.GUESTCERT_CACHE = join(cwd, 'cache')
t.teardown(() => {
  if (before === undefined) delete process.env.GUESTCERT_CACHE
  else process.env.GUESTCERT_CACHE = before
})

/** The shapes that something was printed in. */
const seen = new Set<string>()

/** Carries out a command with `--json`, and holds what it prints to its shape. */
async function json<T = unknown>(t: Test, shape: string, argv: readonly string[], code = 0): Promise<T> {
  const ended = await guestcert([...argv, '--json'], { cwd })
  t.equal(ended.code, code, `${shape}: ${ended.stderr}`)
  const value: unknown = JSON.parse(ended.stdout)
  const schema: z.ZodType | undefined = shapes[shape]
  const parsed = schema?.safeParse(value)
  t.ok(parsed?.success, `${shape}: ${parsed?.error?.message ?? 'a shape of that name'}`)
  seen.add(shape)
  return value as T
}

t.test('listings, a plan, a check of a lab, and what is up', async t => {
  await json(t, 'plan', ['plan', 'lab.yaml'])
  for (const what of ['suites', 'tests', 'guests', 'hosts', 'products', 'requirements']) {
    await json(t, `list ${what}`, ['list', what, ...(what === 'products' ? [] : ['lab.yaml'])])
  }
  await json(t, 'lab down', ['lab', 'down', 'lab.yaml'])
  await json(t, 'lab up', ['lab', 'up', 'lab.yaml'])
  try {
    const { stdout } = await guestcert(['lab', 'up', 'lab.yaml', '-q'], { cwd })
    t.match(stdout, /^ssh -i \S+ -p \d+ root@127\.0\.0\.1\n$/)
    await json(t, 'lab clean', ['lab', 'clean', 'lab.yaml', '--dry-run'])
    const { ok } = await json<{ ok: boolean }>(t, 'doctor', ['doctor', 'lab.yaml'])
    t.equal(ok, true)
    t.match(await guestcert(['doctor', 'lab.yaml', '-q'], { cwd }), { code: 0, stdout: '' })
  } finally {
    const down = await json(t, 'lab down', ['lab', 'down', 'lab.yaml'])
    t.same(down, { lab: 'small', wasUp: true })
  }
  t.match(await guestcert(['plan', 'lab.yaml', '-q'], { cwd }), { stdout: 'ada@rhel-kvm-9.6/default\n' })
  t.match(await guestcert(['list', 'guests', 'lab.yaml', '-q'], { cwd }), { stdout: 'ada\n' })
})

t.test('what people read fits the terminal, and has colours as they are asked for', async t => {
  const listing = ['list', 'tests']
  const tables = [
    listing,
    ['list', 'requirements'],
    ['list', 'guests', 'lab.yaml'],
    ['plan', 'lab.yaml'],
    ['plan', join(packageRoot, 'fixtures/labs/showcase.yaml')],
    ['doctor', 'lab.yaml'],
  ]
  for (const columns of [60, 80, 200]) {
    for (const argv of tables) {
      const { stdout } = await guestcert(argv, { cwd, columns, env: { NO_COLOR: '1' } })
      const widest = Math.max(...stdout.split('\n').map(line => stringWidth(line)))
      t.ok(widest > 0 && widest <= columns, `${argv.join(' ')}: ${widest} of ${columns}`)
    }
  }
  const hasColor = async (env: Readonly<Record<string, string>>, columns?: number): Promise<boolean> =>
    (await guestcert(listing, { cwd, env, ...(columns === undefined ? {} : { columns }) })).stdout.includes(
      '\x1b[',
    )
  t.equal(await hasColor({}, 80), true, 'on a terminal')
  t.equal(await hasColor({ CI: 'true' }, 80), true, 'on a terminal of a CI system, which shows colours')
  t.equal(await hasColor({ TERM: 'dumb' }, 80), false, 'on a dumb one')
  t.equal(await hasColor({ NO_COLOR: '1', FORCE_COLOR: '1' }, 80), false, 'NO_COLOR')
  t.equal(await hasColor({}), false, 'elsewhere')
  t.equal(await hasColor({ FORCE_COLOR: '1' }), true, 'FORCE_COLOR')
  t.equal(await hasColor({ FORCE_COLOR: '0' }, 80), false, 'FORCE_COLOR=0')
})

t.test('the contract of a driver that keeps none of it', async t => {
  await writeFile(
    join(cwd, 'none.mjs'),
    `const refuse = async () => { throw new Error('not today') }
export default {
  name: 'none', title: 'A driver that can do nothing', startsGuests: true, needsConnect: false, migrates: false,
  ownMachines: true, cleanStates: ['none'], placementMistakes: () => [],
  open: () => ({
    name: 'none', abilities: () => new Set(), facts: async () => ({}), close: async () => {},
    instance: () => ({ prepare: refuse, start: refuse, remove: async () => {}, keepHint: '' }),
  }),
}
`,
  )
  await writeFile(
    join(cwd, 'none.yaml'),
    `lab: small
drivers: [./none.mjs]
hosts:
  there: { product: none, version: "1", driver: none }
guests:
  ada: { product: debian, version: "12", arch: x86_64, login: { user: root, key: agent }, on: { there: { configuration: {} } } }
suites: [./own]
`,
  )
  const shown = await json<{ real: boolean; results: { state: string }[] }>(
    t,
    'doctor --contract',
    ['doctor', 'none.yaml', '--contract', 'there'],
    1,
  )
  t.equal(shown.real, true)
  t.equal(
    shown.results.some(({ state }) => state === 'held'),
    false,
  )
})

t.test('an image that is in the cache', async t => {
  const recipe = await loadRecipe('debian')
  const folder = join(cwd, 'cache/images', imageFolderName(recipe))
  await mkdir(folder, { recursive: true })
  const files = Object.values(imageFiles).filter(file => file !== imageFiles.manifest)
  for (const file of files) await writeFile(join(folder, file), '')
  const manifest: ImageManifest = {
    format: 1,
    name: 'debian',
    title: 'Debian',
    recipeDigest: 'a',
    builtAt: '2026-11-22T10:00:00.000Z',
    disk: { file: imageFiles.disk, format: 'qcow2' },
    kernelArguments: [],
    bootedMark: 'ready',
    hardware: { disk: [], nic: [] },
    hostKey: 'SHA256:a',
    packages: [],
    files: Object.fromEntries(files.map(file => [file, { sha256: 'a', bytes: 0 }])),
  }
  await writeFile(join(folder, imageFiles.manifest), JSON.stringify(manifest))
  await json(t, 'lab build', ['lab', 'build', 'debian'])
})

t.test('runs, their reports and proofs', async t => {
  const run = await guestcert(['run', 'lab.yaml', '--shard', '1/1', '--json'], { cwd })
  t.equal(run.code, 0, run.stderr)
  const types = run.stdout
    .trim()
    .split('\n')
    .map(line => (JSON.parse(line) as { type: string }).type)
  t.match([types[0], types.at(-1)], ['run-opened', 'run-closed'])
  await json(t, 'report', ['report', 'latest'])
  t.match(await guestcert(['report', 'latest', '-q'], { cwd }), { stdout: /^2 passed\nexit 0: .*\n$/ })
  t.match(await guestcert(['report', 'latest', '--json', '--to', 'markdown'], { cwd }), { code: 2 })
  await json(t, 'merge', ['merge', 'latest'])
  await json(t, 'reports prune', ['reports', 'prune', '--keep', '1', '--dry-run'])
  const own = join(packageRoot, 'suites/core')
  await json(t, 'prove', ['prove', own, '--test', 'taint'])
})

t.test('a record, from its first entry to a revocation', async t => {
  const record = await sampleRecord(t)
  for (const [name, key] of Object.entries(record.keys)) {
    await writeFile(join(cwd, `${name}.pem`), key.export({ type: 'pkcs8', format: 'pem' }))
  }
  const policy = samplePolicy({
    kit: { harness: [harness], suites: { guestcert: [suiteDigest], core: [suiteDigest] } },
    ageDays: 3650,
    validDays: 365,
  })
  await writeFile(join(cwd, 'policy.yaml'), stringify(policy))
  await writeFile(join(cwd, 'facts.yaml'), stringify({ guest: { 'os.release': '13' }, host: {} }))
  const at = ['--record', record.folder]
  const by = (name: string): string[] => ['--key', `${name}.pem`, '--log-key', 'log.pem', ...at]
  const leafOf = (recorded: readonly { readonly leaf: string }[]): string => recorded[0]?.leaf ?? ''
  type Recorded = readonly { readonly leaf: string }[]

  await json(t, 'record register', ['record', 'register', 'lab.yaml', ...by('a')])
  const add = async (nonce: string): Promise<string> =>
    leafOf(
      await json<Recorded>(t, 'record add', [
        'record',
        'add',
        await registeredRun(t, record, nonce),
        ...by('a'),
      ]),
    )
  const first = await add('one')
  await json(t, 'record why', ['record', 'why', 'all', '--policy', 'policy.yaml', ...at], 1)
  const asked = await json<{ recorded: Recorded }>(t, 'record challenge', [
    'record',
    'challenge',
    first,
    ...by('b'),
  ])
  const second = await add('two')
  await json(t, 'record answer', ['record', 'answer', leafOf(asked.recorded), second, ...by('a')])
  const decide = ['record', 'decide', '--policy', 'policy.yaml']
  await json(t, 'record decide', [...decide, ...by('a')])
  t.match(await guestcert([...decide, '--key', 'b.pem', '--out', 'said.json', ...at], { cwd }), { code: 0 })
  await json(t, 'record submit', ['record', 'submit', 'said.json', '--log-key', 'log.pem', ...at])
  await json(t, 'record decide', [...decide, ...by('a')])
  const status = await json<readonly { state: string }[]>(t, 'record status', [
    'record',
    'status',
    '--facts',
    'facts.yaml',
    ...at,
  ])
  t.match(status, [{ state: 'certified', coverage: { state: 'not covered' } }])
  t.match(await guestcert(['record', 'status', '-q', ...at], { cwd }), { code: 0, stdout: '' })
  await json(t, 'record sign', ['record', 'sign', first, ...by('b')])
  await json(t, 'record sign head', ['record', 'sign', 'head', '--key', 'witness.pem', ...at])
  await json(t, 'record verify', ['record', 'verify', ...at])
  await json(t, 'record show', ['record', 'show', ...at])
  await json(t, 'record show ENTRY', ['record', 'show', first, ...at])
  await json(t, 'record reject', ['record', 'reject', second, '--why', 'cut', ...by('b')])
  await json(t, 'record revoke', ['record', 'revoke', first, '--why', 'cut', ...by('b')])
  await json(t, 'waive', ['waive', 'waivers.yaml', ...by('owner')])
  const imported = ['--junit', 'junit.xml', '--pairing', 'pairing.yaml', '--mapping', 'mapping.yaml']
  await json(t, 'import', ['import', ...imported, ...by('a')])
})

t.test('no command that prints results was left out, and no shape is of none', async t => {
  const wanted = commands.flatMap(({ prints }) => (prints.kind === 'result' ? prints.shapes : []))
  t.same([...seen].sort(), [...wanted].sort())
  t.same(Object.keys(shapes).sort(), [...wanted].sort())
})

t.test('what prints no results draws no table, and what does has both flags', async t => {
  for (const { module, prints, flags, ...command } of commands) {
    const name = nameOf({ module, prints, flags, ...command })
    const names = flags.map(flag => flag.name)
    const has = names.includes('json') && names.includes('quiet')
    t.equal(has, prints.kind !== 'text', `guestcert ${name}`)
    if (prints.kind !== 'text') continue
    const source = await readFile(join(packageRoot, `src/cli/${module}.ts`), 'utf8')
    t.notMatch(source, /from '\.{1,2}\/(?:table|answer)\.js'/, `guestcert ${name} prints results`)
  }
})
