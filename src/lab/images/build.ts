import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { chmod, copyFile, mkdir, mkdtemp, open, readdir, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { UsageError } from '../../config/errors.js'
import { imagesFolder } from '../../hypervisors/shared/cache.js'
import {
  type BuiltImage,
  hypervisorFile,
  type ImageManifest,
  imageFiles,
  imageFormat,
  readImage,
} from '../../hypervisors/shared/image.js'
import {
  describeMissing,
  type MissingTool,
  missingTools as missingOf,
  type Tool,
  type ToolOptions,
} from '../../hypervisors/shared/tool.js'
import { installedPackages, isRoot, makeDisk } from './disk.js'
import { makeKeys } from './keys.js'
import { withLock } from './lock.js'
import { imageFolderName, type Recipe, recipeDigest } from './recipe.js'
import { makeTree } from './tree.js'

/** Each step's limit: fetching packages over a slow line takes longest. */
const stepLimit = { name: 'image build step', ms: 1_800_000 }

export interface BuildOptions {
  readonly cacheFolder: string
  readonly signal: AbortSignal
  /** A line for people about what is being done. */
  readonly onProgress?: (line: string) => void
  /** Where Debian's packages come from; mmdebstrap's own default if absent. */
  readonly mirror?: string
}

/** Programs that building an image needs and that are not installed. */
export function missingTools(): MissingTool[] {
  const always = [
    'mmdebstrap',
    'mke2fs',
    'qemu-img',
    'ssh-keygen',
    'tar',
    'flock',
    'setpriv',
    'unshare',
  ] as const
  return missingOf([...always, ...(isRoot() ? [] : (['fakeroot', 'newuidmap'] as const))] satisfies Tool[])
}

/**
 * Builds the image, or gives the one that was built of the same recipe. An image is believed only when it is
 * whole: it is made in a folder beside and renamed at the end. Throws UsageError when a tool is missing,
 * InfraError when a step fails.
 */
export async function buildImage(recipe: Recipe, options: BuildOptions): Promise<BuiltImage> {
  const images = imagesFolder(options.cacheFolder)
  const folder = join(images, imageFolderName(recipe))
  const before = await readImage(folder).catch(() => null)
  if (before !== null) {
    return before
  }
  const missing = missingTools()
  if (missing.length > 0) {
    throw new UsageError(`cannot build the image ${recipe.name}: ${describeMissing(missing)}`)
  }
  await mkdir(images, { recursive: true, mode: 0o700 })
  const guests: BuiltImage[] = []
  for (const guest of recipe.guests ?? []) {
    options.onProgress?.(`the guest inside: ${guest.name}`)
    guests.push(await buildImage(guest, options))
  }
  const onWait = (): void => options.onProgress?.('waiting for another build of the same image')
  return await withLock(
    join(images, `.${imageFolderName(recipe)}.lock`),
    options.signal,
    onWait,
    async () => {
      const meanwhile = await readImage(folder).catch(() => null)
      return meanwhile ?? (await buildInto(folder, recipe, guests, options))
    },
  )
}

async function buildInto(
  folder: string,
  recipe: Recipe,
  guests: readonly BuiltImage[],
  options: BuildOptions,
): Promise<BuiltImage> {
  const images = imagesFolder(options.cacheFolder)
  const prefix = `.building-${imageFolderName(recipe)}-`
  // We hold the lock: what lies there was left by a build that was killed.
  for (const name of await readdir(images)) {
    if (name.startsWith(prefix)) {
      await rm(join(images, name), { recursive: true, force: true })
    }
  }
  const work = await mkdtemp(join(images, prefix))
  try {
    await buildIn(work, recipe, guests, options)
    await rm(folder, { recursive: true, force: true })
    await rename(work, folder)
    return await readImage(folder)
  } finally {
    // Processes that were killed may still let go of their files.
    await rm(work, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 })
  }
}

async function buildIn(
  work: string,
  recipe: Recipe,
  guests: readonly BuiltImage[],
  options: BuildOptions,
): Promise<void> {
  const { signal, onProgress = () => {} } = options
  const tools: ToolOptions = { signal, limit: stepLimit, where: `image ${recipe.name}`, cause: 'runner' }
  onProgress('making keys')
  const keys = await makeKeys(work, recipe.name, tools)
  onProgress(`installing ${recipe.packages.length + 1} Debian packages and what they need`)
  await makeTree(recipe, keys, work, options.mirror, {
    ...tools,
    onLine: line => onProgress(line.replace(/^I: /, '')),
  })
  onProgress('making the disk')
  await makeDisk(recipe, work, guests, tools)
  const packages = await installedPackages(work)
  onProgress('writing the manifest')
  // A guest's keys stay with the disk that holds their other half, though its own image be built anew.
  for (const guest of guests) {
    await copyFile(guest.keyPath, join(work, guestKeyFile(guest)))
    await chmod(join(work, guestKeyFile(guest)), 0o600)
  }
  const more = recipe.hypervisor === undefined ? [] : [hypervisorFile]
  await keepOnly(work, [...Object.values(imageFiles), ...guests.map(guestKeyFile), ...more])
  await chmod(join(work, imageFiles.disk), 0o444)
  await chmod(join(work, imageFiles.key), 0o600)
  const manifest: ImageManifest = {
    format: imageFormat,
    name: recipe.name,
    title: recipe.title,
    recipeDigest: recipeDigest(recipe),
    builtAt: new Date().toISOString(),
    disk: { file: imageFiles.disk, format: 'qcow2' },
    kernelArguments: [...recipe.kernelArguments],
    bootedMark: recipe.bootedMark,
    hardware: { disk: [...recipe.hardware.disk], nic: [...recipe.hardware.nic] },
    hostKey: keys.hostFingerprint,
    ...(recipe.hypervisor === undefined ? {} : { hypervisor: { file: hypervisorFile } }),
    ...(guests.length === 0
      ? {}
      : {
          guests: Object.fromEntries(
            guests.map(guest => [guest.name, { key: guestKeyFile(guest), hostKey: guest.hostKey }]),
          ),
        }),
    packages,
    files: await digests(work),
  }
  await writeSynced(join(work, imageFiles.manifest), `${JSON.stringify(manifest, null, 2)}\n`)
}

function guestKeyFile({ name }: BuiltImage): string {
  return `${name}.client_key`
}

async function keepOnly(folder: string, files: readonly string[]): Promise<void> {
  for (const name of await readdir(folder)) {
    if (!files.includes(name)) {
      await rm(join(folder, name), { recursive: true, force: true })
    }
  }
}

async function digests(folder: string): Promise<ImageManifest['files']> {
  const files: ImageManifest['files'] = {}
  for (const name of (await readdir(folder)).sort()) {
    const file = join(folder, name)
    const hash = createHash('sha256')
    await pipeline(createReadStream(file), hash)
    files[name] = { sha256: hash.digest('hex'), bytes: (await stat(file)).size }
  }
  return files
}

/** What the manifest says must be on the disk before the folder gets its name. */
async function writeSynced(file: string, text: string): Promise<void> {
  const handle = await open(file, 'w', 0o644)
  try {
    await handle.writeFile(text)
    await handle.sync()
  } finally {
    await handle.close()
  }
}
