import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { appendFile, readFile, rm, stat, truncate } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import t from 'tap'
import { describeFile, EvidenceFile, instanceFolder, stderrOf } from './evidence.js'

t.test(
  'what comes is in the file, in order, with its digest; small pieces at once, large ones held back',
  async t => {
    const root = t.testdir()
    const file = new EvidenceFile({ root, path: join(root, 'out.txt'), limitBytes: 1024 * 1024 })
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
  const file = new EvidenceFile({ root, path: join(root, 'out.txt'), limitBytes: 4 })
  file.write(Buffer.from('abcdef'))
  file.write(Buffer.from('gh'))
  t.match(await file.close(), { bytes: 4, cutBytes: 4 })
  t.equal(await readFile(join(root, 'out.txt'), 'utf8'), 'abcd')
})

t.test("the end of standard error is kept of what did not pass, from a line's beginning", async t => {
  const root = t.testdir()
  const file = (name: string): EvidenceFile =>
    new EvidenceFile({ root, path: join(root, name), limitBytes: 1024 * 1024 })
  const short = file('short.txt')
  short.write(Buffer.from('mount: no such device\n'))
  await short.close()
  t.same(await stderrOf(short, { verdict: 'fail' }), { stderr: 'mount: no such device\n' })
  t.same(await stderrOf(short, { verdict: 'pass' }), {})
  t.same(await stderrOf(file('none.txt'), { verdict: 'error' }), {})
  const long = file('long.txt')
  for (let line = 0; line < 2000; line++) long.write(Buffer.from(`zeile ${line} ä\n`))
  await long.close()
  const { stderr = '' } = await stderrOf(long, { verdict: 'fail' })
  t.ok(Buffer.byteLength(stderr) <= 4096 && Buffer.byteLength(stderr) > 4000)
  t.match(stderr, /^zeile \d+ ä\n[\s\S]*zeile 1999 ä\n$/)
})

t.test('where nothing came there is no file', async t => {
  const root = t.testdir()
  t.equal(await new EvidenceFile({ root, path: join(root, 'out.txt'), limitBytes: 4 }).close(), null)
  t.equal(await describeFile(root, join(root, 'out.txt')), null)
})

t.test('a write that fails is said at once, at every later write and at the end', async t => {
  const file = new EvidenceFile({ root: '/dev', path: '/dev/full', limitBytes: 1024 * 1024 })
  t.throws(() => file.write(Buffer.from('small')), { name: 'InternalError', message: /ENOSPC/ })
  t.throws(() => file.write(Buffer.from('more')), /ENOSPC/)
  await t.rejects(file.close(), /the evidence \/dev\/full cannot be written: .*ENOSPC/)
  await t.rejects(file.close(), /ENOSPC/, 'however often it is asked')
  const large = new EvidenceFile({ root: '/dev', path: '/dev/full', limitBytes: 1024 * 1024 })
  await t.rejects(Promise.resolve(large.write(Buffer.alloc(100_000))), /ENOSPC/)
  await t.rejects(large.close(), /ENOSPC/)
})

t.test('no description is given of a file that is not as it was written', async t => {
  const root = t.testdir()
  for (const [name, harm] of [
    ['removed', rm],
    ['cut', (path: string) => truncate(path, 2)],
    ['longer', (path: string) => appendFile(path, 'x')],
  ] as const) {
    const path = join(root, name)
    const file = new EvidenceFile({ root, path, limitBytes: 100 })
    file.write(Buffer.from('abcdef'))
    await harm(path)
    await t.rejects(file.close(), { name: 'InternalError' }, name)
  }
})

t.test('where the system writes only a part, the rest is tried, and its failure is seen', async t => {
  const folder = t.testdir({ small: '', large: '' })
  // `ulimit -f` counts blocks of 512 bytes: the write across it is short, and the next one fails.
  const writer = fileURLToPath(new URL('./evidence-writer.test.fixture.js', import.meta.url))
  for (const [name, bytes, blocks] of [
    ['small', 1000, 1],
    ['large', 100_000, 150],
  ] as const) {
    const path = join(folder, name)
    const { stdout } = await promisify(execFile)('/bin/sh', [
      '-c',
      `ulimit -f ${blocks}; exec "$@"`,
      'sh',
      ...[process.execPath, writer, path, String(bytes)],
    ])
    t.match(stdout, /^rejected: the evidence .* cannot be written: EFBIG/, name)
    t.equal((await stat(path)).size, blocks * 512, 'a part was written')
  }
})

t.test('no identity leads out of its folder', async t => {
  const root = t.testdir()
  t.equal(
    instanceFolder(root, 'g@rhel-kvm-9.6/2vcpu', 'gc-1'),
    join(root, 'evidence/g@rhel-kvm-9.6+2vcpu/gc-1'),
  )
  t.match(instanceFolder(root, '../../etc', '../x'), new RegExp(`^${root}/evidence/[^/]+/[^/]+$`))
})
