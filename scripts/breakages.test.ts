import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { packageRoot } from '../src/config/package-root.js'
import { breakagesFile, breakSource, readBreakages } from './breakages.js'

t.test('a place that is not there, or stands there twice, is said', async t => {
  const file = 'src/x.ts'
  t.match(breakSource('const a = 1', { file, find: 'b', replace: '' }), { why: /stands 0 times/ })
  t.match(breakSource('a; a', { file, find: 'a', replace: '' }), { why: /stands 2 times/ })
  t.match(breakSource('a', { file, find: 'a', replace: '}' }), { why: /not TypeScript/ })
  t.match(breakSource('const a: number = 1', { file, find: '1', replace: '$&2' }), { compiled: /\$ & 2/ })
})

t.test('every breakage has its place, and its tests are there', async t => {
  const breakages = await readBreakages(join(packageRoot, breakagesFile))
  t.ok(breakages.length >= 20, `${breakages.length}`)
  for (const breakage of breakages) {
    const source = await readFile(join(packageRoot, breakage.file), 'utf8')
    t.match(breakSource(source, breakage), { compiled: /./ }, breakage.breaks)
    for (const test of breakage.tests) t.ok(existsSync(join(packageRoot, 'dist', `${test}.test.js`)), test)
  }
})
