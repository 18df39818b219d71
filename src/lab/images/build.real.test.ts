import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { setInterval } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { execa } from 'execa'
import t from 'tap'
import { defaultCacheFolder, imagesFolder } from '../../hypervisors/shared/cache.js'
import { findImage, imageFiles } from '../../hypervisors/shared/image.js'
import { buildImage } from './build.js'
import { fingerprint } from './keys.js'
import { imageFolderName, loadRecipe, recipeDigest } from './recipe.js'

const limitMs = 60_000
const never = new AbortController().signal
t.setTimeout(1_200_000)

if (process.env.TEST_BUILD_CACHE !== undefined) {
  await buildImage(await loadRecipe('debian'), {
    cacheFolder: process.env.TEST_BUILD_CACHE,
    signal: never,
    onProgress: line => process.stdout.write(`${line}\n`),
  })
} else {
  await tests()
}

async function sha256(file: string): Promise<string> {
  const hash = createHash('sha256')
  await pipeline(createReadStream(file), hash)
  return hash.digest('hex')
}

/** The processes that a build of that cache started and that still run. */
async function processesNaming(words: string): Promise<string[]> {
  const found: string[] = []
  for (const pid of (await readdir('/proc')).filter(name => /^\d+$/.test(name))) {
    const command = await readFile(join('/proc', pid, 'cmdline'), 'utf8').catch(() => '')
    if (command.includes(words)) {
      found.push(command.replaceAll('\0', ' ').slice(0, 100))
    }
  }
  return found
}

async function tests(): Promise<void> {
  await t.test('an image is whole, and built once', async t => {
    const cacheFolder = defaultCacheFolder()
    const recipe = await loadRecipe('debian')
    const image = await buildImage(recipe, { cacheFolder, signal: never })
    t.equal(
      (await buildImage(recipe, { cacheFolder, signal: never })).manifest.builtAt,
      image.manifest.builtAt,
    )
    t.equal((await findImage('debian', cacheFolder))?.folder, image.folder)
    t.equal(image.manifest.recipeDigest, recipeDigest(recipe))
    t.same(
      Object.keys(image.manifest.files).sort(),
      (await readdir(image.folder)).filter(name => name !== 'manifest.json').sort(),
    )
    for (const [file, { sha256: digest }] of Object.entries(image.manifest.files)) {
      t.equal(await sha256(join(image.folder, file)), digest, file)
    }
    const mode = async (path: string): Promise<string> => ((await stat(path)).mode & 0o777).toString(8)
    t.equal(await mode(image.keyPath), '600')
    t.equal(await mode(image.disk), '444')
    t.equal(await mode(image.folder), '700')
    t.equal(fingerprint(await readFile(join(image.folder, imageFiles.hostKey), 'utf8')), image.hostKey)
    const names = image.manifest.packages.map(({ name }) => name)
    t.ok(['openssh-server', 'procps', 'systemd'].every(name => names.includes(name)))
  })

  await t.test('a build that is killed leaves nothing believed and nothing running', async t => {
    const cacheFolder = t.testdir()
    const build = execa(process.execPath, [...process.execArgv, fileURLToPath(import.meta.url)], {
      reject: false,
      env: { TEST_BUILD_CACHE: cacheFolder },
    })
    build.stdout.on('data', chunk => {
      if (String(chunk).includes('extracting')) {
        build.kill('SIGKILL')
      }
    })
    t.equal((await build).signal, 'SIGKILL')
    t.equal(await findImage('debian', cacheFolder), null)
    const folder = imageFolderName(await loadRecipe('debian'))
    for await (const _ of setInterval(100, null, { signal: AbortSignal.timeout(limitMs) })) {
      if ((await processesNaming(cacheFolder)).length === 0) {
        break
      }
    }
    t.same(await processesNaming(cacheFolder), [])
    const left = (await readdir(imagesFolder(cacheFolder))).filter(name => !name.startsWith('.'))
    t.notOk(left.includes(folder))
  })

  await t.test('a build that is cancelled ends soon and cleans up after itself', async t => {
    const cacheFolder = t.testdir()
    const controller = new AbortController()
    const building = buildImage(await loadRecipe('debian'), {
      cacheFolder,
      signal: controller.signal,
      onProgress: line => {
        if (line.includes('extracting')) {
          controller.abort()
        }
      },
    })
    await t.rejects(building, { name: 'InfraError', context: { code: 'cancelled' } })
    const left = await readdir(imagesFolder(cacheFolder))
    t.same(
      left.filter(name => !name.endsWith('.lock')),
      [],
    )
    t.same(await processesNaming(cacheFolder), [])
  })
}
