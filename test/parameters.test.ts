import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { suitesPage } from '../scripts/suites-page.js'
import { packageRoot } from '../src/config/package-root.js'
import { guestcert } from './cli-io.js'
import { prove, provesEach } from './prove.js'

t.setTimeout(240_000)

const sizes = join(packageRoot, 'fixtures/test-suites/sizes')
const lab = `lab: several
defaults: { limits: { boot: 60s } }
hosts:
  here: { product: rhel-kvm, version: "9.6", driver: static }
  there: { product: hyper-v, version: "2022", driver: static }
guests:
  deb: { product: debian, version: "12", arch: x86_64, emulated: debian-12, on: { here: { configuration: {} } } }
  win: { product: windows-server, version: "2022", arch: x86_64, emulated: windows-2022, on: { there: { configuration: {} } } }
suites: [${sizes}]
`
const written = [
  'sizes/written[block-size=512,blocks=512]',
  'sizes/written[block-size=512,blocks=1024]',
  'sizes/written[block-size=4096,blocks=512]',
  'sizes/written[block-size=4096,blocks=1024]',
]
const copied = ['sizes/copied[size=256KiB]', 'sizes/copied[size=1MiB]']
const windows = [false, true].flatMap(again => [
  `sizes/copied-windows[again=${again},bytes=1048577]`,
  `sizes/copied-windows[again=${again},bytes=2097152]`,
])

interface Planned {
  readonly digest: string
  readonly environments: readonly {
    readonly id: string
    readonly tests: readonly {
      readonly id: string
      readonly after: readonly string[]
      readonly parameters?: object
    }[]
  }[]
}

async function planOf(folder: string, ...flags: string[]): Promise<Planned> {
  const { stdout, stderr } = await guestcert(['plan', join(folder, 'lab.yaml'), '--json', ...flags])
  t.equal(stderr, '')
  return JSON.parse(stdout) as Planned
}

function testsOf({ environments }: Planned): string[] {
  return environments.flatMap(({ tests }) => tests.slice(1).map(({ id }) => id))
}

t.test('each combination of values is a test of its own, in plan, reports and evidence', async t => {
  const folder = t.testdir({ 'lab.yaml': lab })
  const { code, stdout } = await guestcert(['run', join(folder, 'lab.yaml'), '-o', join(folder, 'reports')])
  t.equal(code, 0, stdout)
  const run = join(folder, 'reports/latest')
  const summary = JSON.parse(await readFile(join(run, 'summary.json'), 'utf8')) as {
    environments: { tests: { test: string; verdict: string }[] }[]
  }
  const results = summary.environments.flatMap(({ tests }) => tests.slice(1))
  t.same(results.map(({ test }) => test).sort(), [...written, ...copied, ...windows].sort())
  t.ok(results.every(({ verdict }) => verdict === 'pass'))
  const xml = await readFile(join(run, 'junit/deb@rhel-kvm-9.6+default.xml'), 'utf8')
  t.match(xml, /<testcase name="copied\[size=1MiB\]" classname="deb@rhel-kvm-9_6\/default.sizes"/)
  t.match(xml, /<property name="parameter.block-size" value="4096"\/>/)
  const evidence = await readdir(join(run, 'evidence'), { recursive: true })
  const outputs = evidence.filter(path => /written.*\.1\.stdout\.txt$/.test(path))
  t.equal(new Set(outputs).size, written.length, 'no evidence of one value replaces that of another')
  const identities = evidence.filter(path => path.endsWith('.1.identity'))
  const said = await Promise.all(identities.map(path => readFile(join(run, 'evidence', path), 'utf8')))
  t.same(said.sort(), [...copied].sort())
})

t.test('values are chosen by identity, together or one by one', async t => {
  const folder = t.testdir({ 'lab.yaml': lab })
  const whole = await planOf(folder)
  t.same(testsOf(whole).sort(), [...written, ...copied, ...windows].sort())
  const first = whole.environments[0]?.tests.find(({ id }) => id === copied[0])
  t.same(first?.parameters, { size: '256KiB' })
  t.same(first?.after, ['sizes/written[block-size=4096,blocks=512]'], 'it comes after one of the values')
  for (const [pattern, chosen] of [
    ['sizes/copied', [first?.after[0], ...copied]],
    ['copied', [first?.after[0], ...copied]],
    ['sizes/copied[size=1MiB]', [first?.after[0], 'sizes/copied[size=1MiB]']],
    ['copied[size=1MiB]', [first?.after[0], 'sizes/copied[size=1MiB]']],
    ['written[*blocks=512]', written.filter(id => id.includes('blocks=512'))],
  ] as const) {
    const plan = await planOf(folder, '--test', pattern)
    t.same(testsOf(plan), chosen, pattern)
    t.not(plan.digest, whole.digest)
  }
  const wrong = await guestcert(['plan', join(folder, 'lab.yaml'), '--test', 'copied[size=2MiB]'])
  t.equal(wrong.code, 2)
  t.match(wrong.stderr, /--test copied\[size=2MiB\] matches nothing: did you mean "copied\[size=1MiB\]"/)
  const { stdout } = await guestcert(['list', 'tests', join(folder, 'lab.yaml'), '--json'])
  t.match(
    (JSON.parse(stdout) as { id: string; parameters?: object }[]).find(
      ({ id }) => id === 'copied[size=1MiB]',
    ),
    { parameters: { size: '1MiB' } },
  )
})

/** A suite of one test that fails with one value, one that needs all of its values, and one that needs the good one. */
const chained = `suite: chained
version: 1.0.0
title: One after the other
tests:
  - { id: first, title: First, requirements: [X-1], level: required, script: first.sh, protocol: exit, parameters: { status: [0, 1] } }
  - { id: both, title: Both, requirements: [X-1], level: required, script: ok.sh, protocol: exit, after: [first] }
  - { id: good, title: Good, requirements: [X-1], level: required, script: ok.sh, protocol: exit, after: ["first[status=0]"] }
  - { id: typo, title: Typo, requirements: [X-1], level: required, module: typo.ts, parameters: { status: [0] } }
`

function chainedLab(manifest: string): Record<string, string | Record<string, string>> {
  return {
    'lab.yaml': `lab: chained
defaults: { retries: 0, limits: { boot: 60s } }
hosts: { here: { product: rhel-kvm, version: "9.6", driver: static } }
guests:
  deb: { product: debian, version: "12", arch: x86_64, emulated: debian-12, on: { here: { configuration: {} } } }
suites: [./chained]
`,
    chained: {
      'suite.yaml': manifest,
      'first.sh': '#!/bin/sh\nexit "$GC_PARAMETER_STATUS"\n',
      'ok.sh': '#!/bin/sh\nexit 0\n',
      'typo.ts': `import { test } from 'guestcert/api'
export default test(async ({ test, expect }) => { expect(test.parameters.state).not.toBe(1, 'it is not one') })
`,
    },
  }
}

t.test('what comes after a test comes after all of its values, or after the one that it names', async t => {
  const folder = t.testdir(chainedLab(chained))
  const { code } = await guestcert(['run', join(folder, 'lab.yaml'), '-o', join(folder, 'reports'), '-q'])
  t.equal(code, 1)
  const text = await readFile(join(folder, 'reports/latest/summary.json'), 'utf8')
  const summary = JSON.parse(text) as {
    environments: { tests: { test: string; verdict: string; reason?: string }[] }[]
  }
  const results = new Map(summary.environments[0]?.tests.map(result => [result.test, result]))
  t.match(results.get('chained/first[status=0]'), { verdict: 'pass' })
  t.match(results.get('chained/first[status=1]'), { verdict: 'fail' })
  t.match(results.get('chained/both'), { verdict: 'blocked', reason: /chained\/first\[status=1\]/ })
  t.match(results.get('chained/good'), { verdict: 'pass' })
  t.match(results.get('chained/typo[status=0]'), {
    verdict: 'error',
    reason: /declares no parameter "state"/,
  })
})

t.test('a value that does not exist is refused where it is named, and nothing runs', async t => {
  for (const [from, to, wanted] of [
    [
      'first[status=0]',
      'first[status=2]',
      /chained\/suite\.yaml:7:\d+: "first\[status=2\]" is not a test above/,
    ],
    ['status: [0, 1]', 'status: [0, 0]', /chained\/suite\.yaml:5:\d+: "0": expected values that differ/],
  ] as const) {
    const folder = t.testdir(chainedLab(chained.replace(from, to)))
    for (const command of ['plan', 'run']) {
      const { code, stderr } = await guestcert([command, 'lab.yaml'], { cwd: folder })
      t.equal(code, 2, stderr)
      t.match(stderr, wanted)
    }
  }
})

t.test('every value of a test is proven on its own', async t => {
  const { tests } = provesEach(t, await prove(['--json', sizes]))
  t.same([...tests].sort(), [...written, ...copied, ...windows].sort())
})

t.test('the page of suites tells the values of a test in its one entry', async t => {
  const page = await suitesPage(sizes)
  t.match(page, '### `sizes/copied`\n')
  t.match(page, '- a test each: `[size=256KiB]`, `[size=1MiB]`\n')
  t.equal(page.match(/^### /gm)?.length, 3)
})
