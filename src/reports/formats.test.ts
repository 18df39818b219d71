import { join } from 'node:path'
import t from 'tap'
import { everyVerdict } from '../../test/every-verdict.js'
import { readXml } from '../../test/read-xml.js'
import { ctrfOf } from './ctrf/ctrf.js'
import { annotationsOf } from './github/github.js'
import { htmlPage } from './html/page.js'
import { markdownOf } from './markdown/markdown.js'
import { summaryOf } from './summary.js'
import { summarySchema } from './summary-schema.js'

const { state } = everyVerdict()

t.test('summary.json is what its schema says', async t => {
  const summary = JSON.parse(JSON.stringify(summaryOf(state, 1)))
  t.same(summarySchema.parse(summary), summary)
  t.notOk(summarySchema.safeParse({ ...summary, counts: { pass: 1 } }).success, 'the schema does look')
})

t.test('Markdown tells each cause once, the worst first, and lets no text of a guest be markup', async t => {
  const text = markdownOf(state, { exitCode: 1 })
  const headings = text.match(/^## .*/gm)
  t.same(headings, [
    '## Failed (2)',
    '## Errors (1)',
    '## Flaky (1)',
    '## Blocked (1)',
    '## Not run (1)',
    '## Skipped (1)',
    '## Environments',
    '## Slowest',
  ])
  t.match(
    text,
    /got 3599998 ms, expected less than 5000 ms\n {2}- `clock\/monotonic` in `ws2008@rhel-kvm-9\.6\/bios`/,
  )
  t.match(text, '1 of 2 environments are EMULATED')
  t.notMatch(text, /(?<!\\)<script|@everyone|\u001b/)
})

t.test('a summary that has a limit stays below it and says that it was cut', async t => {
  const whole = markdownOf(state, { exitCode: 1 })
  for (const mostBytes of [900, 1200, 1500]) {
    const text = markdownOf(state, { exitCode: 1, mostBytes })
    t.ok(Buffer.byteLength(text) <= mostBytes && text.length < whole.length)
    t.match(text, /this summary was cut to its limit\.\n$/)
  }
})

t.test('CTRF counts what was not carried out as failed, and says what it was', async t => {
  const { results } = ctrfOf(state, 'reports/r1') as {
    results: { summary: object; tests: readonly Record<string, unknown>[] }
  }
  t.match(results.summary, { tests: 9, passed: 3, failed: 5, skipped: 1, flaky: 1 })
  const named = Object.fromEntries(results.tests.map(test => [`${test.name} ${test.rawStatus}`, test.status]))
  t.match(named, {
    'clock/monotonic fail': 'failed',
    'core/identity error': 'failed',
    'core/memory skip': 'skipped',
    'core/reboot blocked': 'failed',
    'net/dhcp not-run': 'failed',
    'extra/idle pass': 'passed',
  })
  const monotonic = results.tests.find(({ name }) => name === 'clock/monotonic')
  t.match(monotonic, {
    message: /got 3599998 ms, expected less than 5000 ms$/,
    stderr: ['date: cannot set date'],
    attachments: [{ path: 'reports/r1/evidence/ws2008/i1/monotonic.1.stderr.txt' }, {}],
  })
})

t.test('annotations are workflow commands of one line, at most ten of a level', async t => {
  const lines = annotationsOf(state)
  t.equal(lines.length, 6)
  t.match(
    lines[0],
    /^::error file=suites\/clock\/suite\.yaml,line=7,title=fail%3A clock\/monotonic in ws2008@rhel-kvm-9\.6\/bios::not ok: /,
  )
  t.equal(lines.filter(line => line.startsWith('::warning ')).length, 1)
  t.ok(lines.every(line => /^::(error|warning) file=[^,:]*,line=\d+,title=[^,:]*::[^\n]*$/.test(line)))
})

t.test('the page is well formed, loads nothing, and escapes whatever a guest says', async t => {
  const page = htmlPage(state, { exitCode: 1, folder: '/runs/r1', path: '/runs/r1/index.html' })
  t.notMatch(page, /<script|javascript:|\u001b/i)
  t.match(page, '&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;')
  t.match(page, "default-src 'none'")
  t.match(page, 'href="evidence/ws2008/i1/monotonic.1.stderr.txt"')
  t.match(page, 'date: cannot set date')
  t.match(page, /EMULATED: they certify nothing/)
  // What is void in HTML is closed for a parser of XML.
  const body = page.slice(page.indexOf('<html')).replace(/<(meta|br)([^>]*)>/g, '<$1$2/>')
  t.doesNotThrow(() => readXml(body))
})

t.test('a page that stands elsewhere links back to the evidence', async t => {
  const page = htmlPage(state, { exitCode: 1, folder: '/runs/r1', path: join('/public', 'index.html') })
  t.match(page, 'href="../runs/r1/evidence/ws2008/i1/monotonic.1.stderr.txt"')
})

t.test('where all is well, it is said what was not tried', async t => {
  const leftOut = [
    { test: 'core/reboot', why: 'not chosen', level: 'required' as const },
    { test: 'core/extra', why: 'not chosen', level: 'optional' as const },
    {
      test: 'windows/version',
      why: 'guest family is windows, not linux',
      level: 'required' as const,
      kind: 'not-applicable' as const,
    },
  ]
  const [first, ...others] = state.environments
  const narrowed = {
    ...state,
    environments:
      first === undefined ? [] : [{ ...first, planned: { ...first.planned, leftOut } }, ...others],
  }
  const said = 'leaves out 1 required test that would apply, in 1 environment;'
  t.match(markdownOf(narrowed, { exitCode: 0 }), said)
  t.match(htmlPage(narrowed, { exitCode: 0, folder: '/runs/r1', path: '/runs/r1/index.html' }), said)
  t.notMatch(markdownOf(state, { exitCode: 0 }), 'leaves out')
})
