import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { everyVerdict } from '../../test/every-verdict.js'
import { readXml } from '../../test/read-xml.js'
import { openFold } from '../journal/fold.js'
import { loadReporter } from './custom/load.js'
import type { ReportContext } from './output.js'
import { outputReader } from './output-reader.js'
import { outputMistake, readOutput, writeOutputs } from './outputs.js'

const root = await mkdtemp(join(tmpdir(), 'guestcert-outputs-'))
t.teardown(() => rm(root, { recursive: true }))
const { plan, journal, state } = everyVerdict()

function context(folder: string, changes: Partial<ReportContext> = {}): ReportContext {
  return {
    state,
    exitCode: 1,
    folder,
    workspace: root,
    env: {},
    print: () => undefined,
    limitMs: 1000,
    ...changes,
  }
}

t.test('what names no report, or the wrong kind of place, is said', async t => {
  t.equal(outputMistake('html'), null)
  t.equal(outputMistake('html=a=b.html'), null)
  t.match(outputMistake('htlm=x'), /did you mean "html"/)
  t.match(outputMistake('html='), /needs a file after "html="/)
  t.match(outputMistake('otlp'), /needs a url: otlp=/)
  t.match(outputMistake('otlp=localhost:4318'), /needs an http or https URL/)
  t.match(outputMistake('otlp=http://u:secret@h'), /takes no user or password/)
  t.notMatch(outputMistake('otlp=http://u:secret@h'), 'secret')
  t.match(outputMistake('github=x'), /takes no place/)
  t.throws(() => readOutput('htlm', root), { name: 'UsageError' })
})

t.test('reports go where they are asked to go, else into the folder of the run', async t => {
  const folder = join(root, 'all')
  await mkdir(folder)
  const summaryFile = join(root, 'step-summary.md')
  await writeFile(summaryFile, 'of an earlier step\n')
  let printed = ''
  const wanted = ['junit', 'junit-merged', 'html', 'markdown=out/here.md', 'ctrf', 'summary', 'github']
  const { failures } = await writeOutputs(
    wanted.map(text => readOutput(text, root)),
    context(folder, { env: { GITHUB_STEP_SUMMARY: summaryFile }, print: text => (printed += text) }),
  )
  t.same(failures, [])
  t.same((await readdir(folder)).sort(), [
    'ctrf.json',
    'index.html',
    'junit',
    'junit-strict',
    'junit.xml',
    'summary.json',
  ])
  t.match(await readFile(join(root, 'out/here.md'), 'utf8'), /^# guestcert: failed/)
  t.match(await readFile(summaryFile, 'utf8'), /^of an earlier step\n# guestcert: failed/)
  t.match(printed, /^::error file=/)
})

t.test('a report that cannot be written keeps no other from being written', async t => {
  const folder = join(root, 'partly')
  await mkdir(folder)
  await writeFile(join(folder, 'blocked'), 'a file where a folder is wanted')
  const wanted = ['html=partly/blocked/index.html', 'markdown'].map(text => readOutput(text, root))
  const { written, failures } = await writeOutputs(wanted, context(folder))
  t.same(written, [join(folder, 'summary.md')])
  t.match(failures, [{ name: 'InternalError', message: /index\.html cannot be written: / }])
})

t.test('a merged file is there when the plan stands, and follows every environment', async t => {
  const folder = join(root, 'live')
  await mkdir(folder)
  const fold = openFold(plan)
  const { state: _, exitCode: __, ...around } = context(folder)
  const reader = outputReader({ ...around, fold, wanted: [readOutput('junit-merged', root)] })
  const errors: string[] = []
  const ended = journal.events.at(-1)
  const environments = plan.environments.map(
    ({ id }) => ({ ...ended, type: 'environment-ended', environment: id }) as (typeof journal.events)[number],
  )
  for (const event of [...journal.events, ...environments]) {
    fold.add(event)
    const writing = reader.event(event)
    if (writing === undefined) continue
    await writing
    errors.push(readXml(await readFile(join(folder, 'junit.xml'), 'utf8')).attributes.errors ?? '')
  }
  t.same(errors, ['9', '5', '5'], 'all not run; then the errors, what was left behind and the lost host')
  t.same(await readdir(folder), ['junit.xml'])
})

t.test('a reporter of one’s own is told of copies, and of the end', async t => {
  const file = join(root, 'mine.mjs')
  await writeFile(
    file,
    `export default ({ plan, print }) => {
      plan.environments.length = 0
      let count = 0
      return {
        event(event) { count += 1; event.type = 'changed' },
        async end({ exitCode, summary }) { print(\`\${count} \${exitCode} \${summary.counts.pass}\`) },
      }
    }`,
  )
  const make = await loadReporter(file, 1000)
  let printed = ''
  const reporter = make({ plan, folder: root, print: text => (printed += text) })
  const [event] = journal.events
  if (event === undefined) throw new Error('the journal is empty')
  await reporter.event(event)
  await reporter.end(state, 1, root)
  t.equal(printed, '1 1 3')
  t.equal(event.type, 'session-started')
  t.equal(plan.environments.length, 2)
})

t.test('a reporter that is broken is said to be so', async t => {
  const write = async (name: string, text: string): Promise<string> => {
    await writeFile(join(root, name), text)
    return join(root, name)
  }
  await t.rejects(loadReporter(join(root, 'none.mjs'), 1), {
    name: 'UsageError',
    message: /cannot be loaded/,
  })
  await t.rejects(loadReporter(await write('text.mjs', 'export default 3'), 1), {
    message: /needs a function/,
  })
  const throwing = await loadReporter(
    await write(
      'throws.mjs',
      'export default () => ({ async event() { throw new Error("oh") }, end: () => new Promise(() => {}) })',
    ),
    20,
  )
  const reporter = throwing({ plan, folder: root, print: () => undefined })
  const [event] = journal.events
  if (event === undefined) throw new Error('the journal is empty')
  await t.rejects(Promise.resolve(reporter.event(event)), { message: /throws\.mjs failed: oh/ })
  await t.rejects(reporter.end(state, 1, root), {
    message: /throws\.mjs: the limit "report" of 20 ms was reached/,
  })
})
