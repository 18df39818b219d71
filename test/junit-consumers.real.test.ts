/**
 * What readers of JUnit make of one run with every verdict. What each is expected to see is a file of
 * `fixtures/junit/consumers`; `UPDATE_GOLDEN=1` writes them anew. Needs Debian's libxml2-utils and python3-junitparser.
 */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { junitXml } from '@allurereport/reader'
import { isValid, validate } from 'ctrf'
import { execa } from 'execa'
import { parse as junit2json } from 'junit2json'
import t, { type Test } from 'tap'
import testResultsParser from 'test-results-parser'
import { packageRoot } from '../src/config/package-root.js'
import { ctrfOf } from '../src/reports/ctrf/ctrf.js'
import { writeMergedJunit } from '../src/reports/junit/merged.js'
import { everyVerdict } from './every-verdict.js'

t.setTimeout(240_000)
const golden = join(packageRoot, 'fixtures/junit/consumers')
const folder = await mkdtemp(join(tmpdir(), 'guestcert-consumers-'))
t.teardown(() => rm(folder, { recursive: true }))

const { state } = everyVerdict()
const [rich, strict] = [join(folder, 'rich.xml'), join(folder, 'strict.xml')]
await writeMergedJunit({ path: rich, state, profile: 'rich', attachments: 'reports/r1' })
await writeMergedJunit({ path: strict, state, profile: 'strict', attachments: 'reports/r1' })
const text = await readFile(rich, 'utf8')

/** Compares what a reader saw with the file of its name. */
async function sees(t: Test, name: string, seen: unknown): Promise<void> {
  const path = join(golden, `${name}.json`)
  if (process.env.UPDATE_GOLDEN === '1') {
    await mkdir(golden, { recursive: true })
    await writeFile(path, `${JSON.stringify(seen, null, 2)}\n`)
  }
  t.same(JSON.parse(JSON.stringify(seen)), JSON.parse(await readFile(path, 'utf8')))
}

t.test('xmllint validates the strict file against the schema, and reads both', async t => {
  const schema = join(packageRoot, 'fixtures/junit/junit-10.xsd')
  await execa('xmllint', ['--noout', '--schema', schema, strict])
  await execa('xmllint', ['--noout', rich])
  await t.rejects(execa('xmllint', ['--noout', '--schema', schema, rich]), 'the schema does look')
})

t.test('junitparser, of Debian', async t => {
  const program = `
import json, sys, junitparser
out = []
for suite in junitparser.JUnitXml.fromfile(sys.argv[1]):
    out.append([suite.name, suite.tests, suite.failures, suite.errors, suite.skipped])
    for case in suite:
        out.append([case.classname, case.name, case.time, [[type(r).__name__, r.type, r.message] for r in case.result], case.system_err])
print(json.dumps(out))
`
  for (const [name, path] of [
    ['junitparser-rich', rich],
    ['junitparser-strict', strict],
  ] as const) {
    const { stdout } = await execa('/usr/bin/python3', ['-c', program, path])
    await sees(t, name, JSON.parse(stdout))
  }
})

t.test('junit2json', async t => {
  const parsed = await junit2json(text)
  const suites = parsed !== null && parsed !== undefined && 'testsuite' in parsed ? parsed.testsuite : []
  await sees(t, 'junit2json', [
    { ...parsed, testsuite: undefined },
    ...(suites ?? []).map(({ name, tests, failures, errors, skipped, testcase }) => ({
      name,
      tests,
      failures,
      errors,
      skipped,
      cases: (testcase ?? []).map(one => ({
        name: one.name,
        failure: one.failure?.map(({ type, message }) => ({ type, message })),
        error: one.error?.map(({ type, message }) => ({ type, message })),
        skipped: one.skipped,
      })),
    })),
  ])
})

t.test('the reader of Allure 3', async t => {
  const seen: unknown[] = []
  const file = {
    getOriginalFileName: () => 'rich.xml',
    asUtf8String: async () => text,
  } as unknown as Parameters<typeof junitXml.read>[1]
  const visitor = {
    visitTestResult: async ({ name, fullName, status, duration, message }: Record<string, unknown>) => {
      seen.push({ name, fullName, status, duration, message })
    },
    visitAttachmentFile: async () => undefined,
  } as unknown as Parameters<typeof junitXml.read>[0]
  t.equal(await junitXml.read(visitor, file), true)
  await sees(t, 'allure', seen)
})

t.test('test-results-parser', async t => {
  const { total, passed, failed, errors, skipped, suites } = testResultsParser.parse({
    type: 'junit',
    files: [rich],
  })
  await sees(t, 'test-results-parser', {
    total,
    passed,
    failed,
    errors,
    skipped,
    cases: suites.flatMap(suite =>
      suite.cases.map(({ name, status, failure }) => [suite.name, name, status, failure]),
    ),
  })
})

t.test('xunit-viewer', async t => {
  const program = join(packageRoot, 'node_modules/xunit-viewer/bin/xunit-viewer.js')
  const options = ['--results', rich, '--console', '--output', 'page.html', '--no-color']
  const { stdout } = await execa(process.execPath, [program, ...options], {
    cwd: folder,
    env: { NO_COLOR: '1', FORCE_COLOR: '0' },
  })
  const lines = stdout.split('\n').filter(line => line.trim() !== '' && !line.startsWith('Written to'))
  await sees(t, 'xunit-viewer', lines)
  t.ok((await readFile(join(folder, 'page.html'))).length > 10_000)
})

t.test('the CTRF report is valid for the reference implementation of CTRF', async t => {
  const report = JSON.parse(JSON.stringify(ctrfOf(state, 'reports/r1')))
  t.same(validate(report), { valid: true, errors: [] })
  t.equal(isValid({ ...report, results: {} }), false, 'it does look')
})
