import { createHash } from 'node:crypto'
import { chmod, readFile, symlink, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'
import t from 'tap'
import { type AskShell, identifyImage, imageFacts } from './image-identity.js'

/** A qemu-img that says what files with a first line `qcow2 BACKING` are, as the real one does. */
const fakeQemuImg = `#!/bin/sh
[ "$1" = info ] && shift
[ "$1" = -U ] && shift
read -r format backing <"$1"
[ "$format" = qcow2 ] || format=raw
echo "image: $1"
echo "file format: $format"
[ -z "$backing" ] || [ "$format" = raw ] || echo "backing file: $backing (actual path: $(dirname "$1")/$backing)"
`

function askIn(home: string, path: string): AskShell {
  return async command => {
    const { stdout } = await execa('/bin/sh', ['-c', command], { env: { HOME: home, PATH: path } })
    return stdout
  }
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')

t.test('a disk is what all of its files are, and one byte in the lowest makes it another', async t => {
  const folder = t.testdir({
    'qemu-img': fakeQemuImg,
    'top.qcow2': 'qcow2 base.raw\ntop\n',
    'base.raw': 'base\n',
  })
  await chmod(join(folder, 'qemu-img'), 0o755)
  const ask = askIn(folder, `${folder}:/usr/bin:/bin`)
  const found = await identifyImage(join(folder, 'top.qcow2'), 'gc-1', ask)
  t.same(found.files, [
    { path: join(folder, 'top.qcow2'), format: 'qcow2', sha256: sha256('qcow2 base.raw\ntop\n') },
    { path: join(folder, 'base.raw'), format: 'raw', sha256: sha256('base\n') },
  ])
  t.equal(
    found.digest,
    `sha256:${sha256(`qcow2 ${sha256('qcow2 base.raw\ntop\n')}\nraw ${sha256('base\n')}\n`)}`,
  )
  t.match(await imageFacts([join(folder, 'top.qcow2')], 'gc-1', ask), {
    'image digest': found.digest,
    'image files': /top\.qcow2, .*base\.raw$/,
  })
  const both = await imageFacts([join(folder, 'top.qcow2'), join(folder, 'base.raw')], 'gc-1', ask)
  t.match(both, { 'image digest': /^sha256:/, 'image files': /top\.qcow2, .*base\.raw, .*base\.raw$/ })
  t.not(both['image digest'], found.digest)
  await writeFile(join(folder, 'base.raw'), 'bare\n')
  const changed = await identifyImage(join(folder, 'top.qcow2'), 'gc-1', ask)
  t.not(changed.digest, found.digest)
})

t.test('a file is read once, and again when it is another one', async t => {
  const folder = t.testdir({ bin: { sha256sum: '' }, 'disk.raw': 'one\n' })
  const counter = `#!/bin/sh\necho read >>${folder}/reads\nexec /usr/bin/sha256sum\n`
  await writeFile(join(folder, 'bin/sha256sum'), counter)
  await chmod(join(folder, 'bin/sha256sum'), 0o755)
  const ask = askIn(folder, `${folder}/bin:/usr/bin:/bin`)
  const disk = join(folder, 'disk.raw')
  const reads = async (): Promise<number> =>
    (await readFile(join(folder, 'reads'), 'utf8')).split('\n').length - 1
  const first = await identifyImage(disk, 'gc-1', ask)
  t.same(await identifyImage(disk, 'gc-1', ask), first)
  t.equal(await reads(), 1)
  await writeFile(disk, 'two\n')
  await utimes(disk, new Date(), new Date(1_000_000))
  t.not((await identifyImage(disk, 'gc-1', ask)).digest, first.digest)
  t.equal(await reads(), 2)
})

t.test('what cannot be identified is trouble, not a digest', async t => {
  const folder = t.testdir({
    'qemu-img': fakeQemuImg,
    'loop.qcow2': 'qcow2 loop.qcow2\n',
    bin: { sha256sum: '' },
  })
  await chmod(join(folder, 'qemu-img'), 0o755)
  const withTool = askIn(folder, `${folder}:/usr/bin:/bin`)
  await t.rejects(identifyImage(join(folder, 'loop.qcow2'), 'gc-1', withTool), {
    message: /gc-1: .*loop\.qcow2 lies on more than 32 files/,
    context: { cause: 'host' },
  })
  await t.rejects(identifyImage(join(folder, 'none.raw'), 'gc-1', withTool))
  const writes = `#!/bin/sh\necho more >>${folder}/busy.raw\nexec /usr/bin/sha256sum\n`
  await writeFile(join(folder, 'bin/sha256sum'), writes)
  await chmod(join(folder, 'bin/sha256sum'), 0o755)
  await writeFile(join(folder, 'busy.raw'), 'busy\n')
  const busy = askIn(folder, `${folder}/bin:/usr/bin:/bin`)
  await t.rejects(identifyImage(join(folder, 'busy.raw'), 'gc-1', busy), {
    message: /busy\.raw has no digest: it changed while it was read/,
  })
})

t.test('without qemu-img a raw disk is one file, and any other is refused', async t => {
  const folder = t.testdir({ bin: {}, 'disk.raw': 'raw\n', 'disk.qcow2': 'QFI\u00fbqcow\n' })
  for (const tool of ['head', 'tr', 'stat', 'grep', 'tail', 'sed', 'sha256sum', 'cut', 'mkdir']) {
    await symlink(`/usr/bin/${tool}`, join(folder, 'bin', tool))
  }
  const ask = askIn(folder, join(folder, 'bin'))
  t.match(await identifyImage(join(folder, 'disk.raw'), 'gc-1', ask), { files: [{ format: 'raw' }] })
  await t.rejects(identifyImage(join(folder, 'disk.qcow2'), 'gc-1', ask), {
    message: /disk\.qcow2 is of no known format: it takes qemu-img/,
  })
})
