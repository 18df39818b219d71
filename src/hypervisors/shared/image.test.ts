import { appendFile, mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { imagesFolder } from './cache.js'
import { findImage, type ImageManifest, imageFiles, imageFormat, readImage } from './image.js'

/** Writes an image's folder with files of one byte each. */
async function makeImage(folder: string, change: Partial<ImageManifest> = {}): Promise<string> {
  await mkdir(folder, { recursive: true })
  const names = Object.values(imageFiles).filter(name => name !== imageFiles.manifest)
  for (const name of names) {
    await writeFile(join(folder, name), 'x')
  }
  const manifest: ImageManifest = {
    format: imageFormat,
    name: 'debian',
    title: 'Debian',
    recipeDigest: 'abc',
    builtAt: '2026-01-01T00:00:00.000Z',
    disk: { file: imageFiles.disk, format: 'qcow2' },
    kernelArguments: ['rw'],
    bootedMark: 'up',
    hardware: { disk: ['ide'], nic: ['e1000'] },
    hostKey: 'SHA256:x',
    packages: [{ name: 'bash', version: '5' }],
    files: Object.fromEntries(names.map(name => [name, { sha256: 'x', bytes: 1 }])),
    ...change,
  }
  await writeFile(join(folder, imageFiles.manifest), JSON.stringify(manifest))
  return folder
}

t.test('the newest whole image of a name is found', async t => {
  const cache = t.testdir()
  t.equal(await findImage('debian', cache), null)
  const images = imagesFolder(cache)
  await makeImage(join(images, 'debian-1'))
  const newer = await makeImage(join(images, 'debian-2'), { builtAt: '2026-02-01T00:00:00.000Z' })
  await makeImage(join(images, 'other-1'), { name: 'other', builtAt: '2026-03-01T00:00:00.000Z' })
  await makeImage(join(images, '.building-debian-3'), { builtAt: '2026-04-01T00:00:00.000Z' })
  const found = await findImage('debian', cache)
  t.equal(found?.folder, newer)
  t.equal(found?.kernel, join(newer, 'vmlinuz'))
  await rm(join(newer, imageFiles.disk))
  t.equal(
    (await findImage('debian', cache))?.folder,
    join(images, 'debian-1'),
    'a broken one is not believed',
  )
})

t.test('what is not whole is not an image', async t => {
  const cache = t.testdir()
  const fails = async (message: RegExp, folder: string): Promise<void> => {
    await t.rejects(readImage(folder), { name: 'InfraError', message })
  }
  await fails(/has no manifest\.json/, join(cache, 'nowhere'))
  const grown = await makeImage(join(cache, 'grown'))
  await appendFile(join(grown, imageFiles.initrd), 'more')
  await fails(/initrd\.img has 5 bytes instead of 1/, grown)
  const torn = await makeImage(join(cache, 'torn'))
  await writeFile(join(torn, imageFiles.manifest), '{"format": 1')
  await fails(/damaged/, torn)
  const later = await makeImage(join(cache, 'later'), { format: 2 as never })
  await fails(/of another version/, later)
  await fails(/does not list .*client_key/, await makeImage(join(cache, 'unlisted'), { files: {} }))
})
