import t from 'tap'
import { check } from './check.js'
import { suiteSchema } from './suite-schema.js'
import { parseYaml } from './yaml.js'

/** The mistakes of a manifest whose one test has this line in it, each as `line:column: message`. */
function mistakes(line: string, protocol = 'exit'): string[] {
  const yaml = parseYaml(
    'suite.yaml',
    `suite: s
version: 1.0.0
title: A suite
tests:
  - id: a
    title: A test
    requirements: [R-1]
    level: required
    ${protocol === 'module' ? 'module: a.ts' : `script: a.sh\n    protocol: ${protocol}`}
    ${line}
`,
  )
  return check(yaml, suiteSchema).mistakes.map(
    ({ place, message }) => `${place.line}:${place.column}: ${message}`,
  )
}

t.test('exit codes may be declared as a skip and as an error', async t => {
  for (const line of [
    'codes: { skip: [4, 32, 77], error: [2] }',
    'codes: { skip: 77 }',
    'codes: { error: [1, 126, 127, 200, 255] }',
    'codes: { skip: [1, 125, 128] }',
  ]) {
    t.same(mistakes(line), [], line)
  }
})

t.test('what exit codes cannot mean is refused where it stands', async t => {
  const rows: readonly [line: string, expected: RegExp, protocol?: string][] = [
    ['codes: { skip: [0] }', /^11:21: .*from 1 to 255: 0 is the pass/],
    ['codes: { error: [2, 0] }', /^11:25: .*0 is the pass/],
    ['codes: { skip: [256] }', /no process ends with a larger one/],
    ['codes: { error: [-1] }', /from 1 to 255/],
    ['codes: { error: [1.5] }', /whole number/],
    [
      'codes: { skip: [4], error: [2, 4] }',
      /^11:36: "4": expected a code of its own: it is already one of "skip"/,
    ],
    ['codes: { skip: [4, 4] }', /already one of "skip"/],
    ['codes: { skip: 4, error: 4 }', /already one of "skip"/],
    ['codes: { skip: [137] }', /may be a signal/],
    ['codes: { skip: [127] }', /command could not be run/],
    ['codes: { pass: [3], skip: [4] }', /unknown key "pass"/],
    ['codes: { skip: [] }', /at least one/],
    ['codes: {}', /expected "skip" or "error"/],
    ['codes: { skip: [4] }', /protocol "tap" has no exit codes.*needs protocol "exit"/, 'tap'],
    ['codes: { skip: [4] }', /protocol "ktap" has no exit codes/, 'ktap'],
    ['codes: { skip: [4] }', /a module has no exit codes/, 'module'],
  ]
  for (const [line, expected, protocol] of rows)
    t.match(mistakes(line, protocol), [expected], `${line} ${protocol}`)
})
