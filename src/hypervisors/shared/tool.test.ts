import { chmod, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { describeMissing, missingTools, tail, toolPath } from './tool.js'

t.test('missing tools and the packages that bring them', async t => {
  const folder = t.testdir()
  await writeFile(join(folder, 'qemu-img'), '')
  await writeFile(join(folder, 'mke2fs'), '')
  await chmod(join(folder, 'mke2fs'), 0o755)
  await mkdir(join(folder, 'other'))
  const path = `${folder}:${join(folder, 'other')}`
  const missing = missingTools(['mke2fs', 'qemu-img', 'setpriv', 'flock'], path)
  t.same(missing, [
    { tool: 'qemu-img', package: 'qemu-utils' },
    { tool: 'setpriv', package: 'util-linux' },
    { tool: 'flock', package: 'util-linux' },
  ])
  t.equal(
    describeMissing(missing),
    'qemu-img, setpriv, flock are not installed: apt-get install qemu-utils util-linux',
  )
  t.equal(describeMissing(missing.slice(0, 1)), 'qemu-img is not installed: apt-get install qemu-utils')
})

t.test('the search path gets the administrator’s folders, once', async t => {
  t.equal(toolPath('/a:/usr/bin'), '/a:/usr/bin:/usr/local/sbin:/usr/sbin:/sbin:/bin')
  t.match(toolPath(''), /^\/usr\/local\/sbin:/)
})

t.test('a tool’s last words fit on one line', async t => {
  t.equal(tail(' a\n  b\r\n'), 'a | b')
  t.equal(tail(undefined), 'it said nothing')
  t.ok(tail('x'.repeat(5000)).length < 700)
})
