import t from 'tap'
import { check } from './check.js'
import { combinationsOf, identityWith, withoutParameters } from './parameters.js'
import { suiteSchema } from './suite-schema.js'
import { parseYaml } from './yaml.js'

/** The mistakes of a manifest whose one test has these parameters, each as `line:column: message`. */
function mistakes(parameters: string): string[] {
  const text = `suite: s
version: 1.0.0
title: A suite
tests:
  - id: a
    title: A test
    requirements: [R-1]
    level: required
    module: a.ts
    parameters: ${parameters}
`
  return check(parseYaml('suite.yaml', text), suiteSchema).mistakes.map(
    ({ place, message }) => `${place.line}:${place.column}: ${message}`,
  )
}

t.test('texts, numbers and truths may be values', async t => {
  for (const good of [
    '{ size: [1MiB, 64MiB] }',
    '{ block-size: [512, 4096, 1.5, -1], sync: [true, false], path: [a.b_c+d-e] }',
    '{ one: ["1"] }',
  ]) {
    t.same(mistakes(good), [], good)
  }
})

t.test('what can be no parameter is refused where it stands', async t => {
  const rows: readonly (readonly [string, RegExp])[] = [
    ['{}', /^10:17: .*expected at least one parameter/],
    ['[1MiB]', /^10:17: .*expected a map of keys/],
    ['{ size: 1MiB }', /^10:25: size: "1MiB": expected a list/],
    ['{ size: [] }', /^10:25: .*expected at least one value/],
    ['{ Size: [1] }', /^10:25: "Size": expected a name of lower-case letters/],
    ['{ block_size: [1] }', /^10:31: "block_size": expected a name of lower-case/],
    ['{ size: ["1 MiB"] }', /^10:26: .*"1 MiB": expected a text of at most 64 letters/],
    ['{ size: [a/b] }', /^10:26: .*part of the identity/],
    ['{ size: [1, [2]] }', /^10:29: expected a text.* or a number or true or false/],
    ['{ size: [1, .inf] }', /^10:29: /],
    ['{ size: [1, two] }', /^10:29: "two": expected values of one kind, and "1" is a number/],
    ['{ size: [1.0, 2, 1] }', /^10:34: "1": expected values that differ/],
    [
      `{ a: [${[...Array(17).keys()].join(', ')}], b: [${[...Array(16).keys()].join(', ')}] }`,
      /^10:17: .*expected at most 256 combinations/,
    ],
  ]
  for (const [parameters, wanted] of rows) {
    t.match(mistakes(parameters)[0], wanted, parameters)
  }
})

t.test(
  'an identity tells every combination apart, in whatever order its parameters are declared',
  async t => {
    const combinations = combinationsOf({ size: ['1MiB', '64MiB'], depth: [1, 32] })
    const ids = combinations.map(parameters => identityWith('disk/blocks', parameters))
    t.same(ids, [
      'disk/blocks[depth=1,size=1MiB]',
      'disk/blocks[depth=32,size=1MiB]',
      'disk/blocks[depth=1,size=64MiB]',
      'disk/blocks[depth=32,size=64MiB]',
    ])
    const other = combinationsOf({ depth: [1, 32], size: ['1MiB', '64MiB'] })
    t.same(other.map(parameters => identityWith('disk/blocks', parameters)).sort(), [...ids].sort())
    t.same([...new Set(ids.map(withoutParameters))], ['disk/blocks'])
    t.equal(identityWith('disk/blocks', {}), 'disk/blocks')
    t.same(combinationsOf({}), [{}])
  },
)
