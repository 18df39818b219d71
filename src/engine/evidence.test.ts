import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { describeFile, EvidenceFile, fileNameOf } from './evidence.js'

t.test(
  'what comes is in the file, in order, with its digest; small pieces at once, large ones held back',
  async t => {
    const root = t.testdir()
    const file = new EvidenceFile(root, join(root, 'out.txt'), 1024 * 1024)
    t.equal(file.write(Buffer.from('small\n')), undefined)
    t.equal(
      await readFile(join(root, 'out.txt'), 'utf8'),
      'small\n',
      'a runner that dies now has lost nothing',
    )
    const large = Buffer.alloc(100_000, 'x')
    const held = file.write(large)
    t.ok(held instanceof Promise)
    file.write(Buffer.from('end\n'))
    const evidence = await file.close()
    const content = await readFile(join(root, 'out.txt'))
    t.ok(content.equals(Buffer.concat([Buffer.from('small\n'), large, Buffer.from('end\n')])))
    t.same(evidence, {
      path: 'out.txt',
      sha256: createHash('sha256').update(content).digest('hex'),
      bytes: content.length,
    })
    t.same(await describeFile(root, join(root, 'out.txt')), evidence)
  },
)

t.test('beyond its limit nothing is written, and it says how much was cut', async t => {
  const root = t.testdir()
  const file = new EvidenceFile(root, join(root, 'out.txt'), 4)
  file.write(Buffer.from('abcdef'))
  file.write(Buffer.from('gh'))
  t.match(await file.close(), { bytes: 4, cutBytes: 4 })
  t.equal(await readFile(join(root, 'out.txt'), 'utf8'), 'abcd')
})

t.test('where nothing came there is no file', async t => {
  const root = t.testdir()
  t.equal(await new EvidenceFile(root, join(root, 'out.txt'), 4).close(), null)
  t.equal(await describeFile(root, join(root, 'out.txt')), null)
})

t.test('no identity leads out of its folder', async t => {
  t.equal(fileNameOf('g@rhel-kvm-9.6/2vcpu'), 'g@rhel-kvm-9.6+2vcpu')
  t.equal(fileNameOf('../../etc'), '..+..+etc')
})
