import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { InfraError } from '../../config/errors.js'
import { imagesFolder } from './cache.js'

/** The version of an image's folder; another one is not believed. */
export const imageFormat = 1

const fileEntry = z.object({ sha256: z.string(), bytes: z.number() })

/** What `manifest.json` of an image holds. */
export const manifestSchema = z.object({
  format: z.literal(imageFormat),
  name: z.string(),
  title: z.string(),
  /** SHA-256 over the recipe and the builder's version. */
  recipeDigest: z.string(),
  builtAt: z.string(),
  disk: z.object({ file: z.string(), format: z.enum(['qcow2', 'raw']) }),
  kernelArguments: z.array(z.string()),
  /** What the console says when the guest can be reached. */
  bootedMark: z.string(),
  /** The models that the image has drivers for. */
  hardware: z.object({ disk: z.array(z.string()), nic: z.array(z.string()) }),
  /** `SHA256:…` of the host key that the image holds. */
  hostKey: z.string(),
  /** Started in the kernel's place, with the kernel and the initrd as its modules: Xen. */
  hypervisor: z.object({ file: z.string() }).optional(),
  /** Guests that lie inside, by the name of their image: what opens them and what proves them. */
  guests: z.record(z.string(), z.object({ key: z.string(), hostKey: z.string() })).optional(),
  packages: z.array(z.object({ name: z.string(), version: z.string() })),
  files: z.record(z.string(), fileEntry),
})

export type ImageManifest = z.infer<typeof manifestSchema>

/** A guest image that was built whole. All paths are absolute. */
export interface BuiltImage {
  readonly name: string
  readonly folder: string
  /** Never written to: instances use overlays. */
  readonly disk: string
  readonly diskFormat: 'qcow2' | 'raw'
  readonly kernel: string
  readonly initrd: string
  /** The private key that logs in as root. */
  readonly keyPath: string
  /** `SHA256:…` of the host key. */
  readonly hostKey: string
  /** The host key under the image's name, for `ssh -o HostKeyAlias=NAME`. */
  readonly knownHosts: string
  /** Xen, for an image that is a host. */
  readonly hypervisor?: string
  /** The guests that lie inside, by the name of their image. */
  readonly guests: ReadonlyMap<string, { readonly keyPath: string; readonly hostKey: string }>
  readonly manifest: ImageManifest
}

/** The names of an image's files, as the builder writes them and the driver reads them. */
export const imageFiles = {
  manifest: 'manifest.json',
  disk: 'disk.qcow2',
  kernel: 'vmlinuz',
  initrd: 'initrd.img',
  key: 'client_key',
  hostKey: 'host_key.pub',
  knownHosts: 'known_hosts',
} as const

/** The file of the hypervisor, in images that are hosts. */
export const hypervisorFile = 'xen.elf'

/** The newest image of that name which was built whole; `null` when there is none. */
export async function findImage(name: string, cacheFolder: string): Promise<BuiltImage | null> {
  const images = await listImages(cacheFolder)
  const [newest] = images
    .filter(image => image.name === name)
    .sort((a, b) => (a.manifest.builtAt < b.manifest.builtAt ? 1 : -1))
  return newest ?? null
}

/** All images that were built whole. */
export async function listImages(cacheFolder: string): Promise<BuiltImage[]> {
  const folder = imagesFolder(cacheFolder)
  const names = await readdir(folder).catch(() => [])
  const images = await Promise.all(
    names.filter(name => !name.startsWith('.')).map(name => readImage(join(folder, name)).catch(() => null)),
  )
  return images.filter(image => image !== null)
}

/** Reads one image's folder; throws InfraError when anything of it is missing or has another size. */
export async function readImage(folder: string): Promise<BuiltImage> {
  const broken = (why: string): InfraError =>
    new InfraError(`${folder} is not an image: ${why}`, { cause: 'runner', where: folder, code: 'driver' })
  const text = await readFile(join(folder, imageFiles.manifest), 'utf8').catch(() => null)
  if (text === null) {
    throw broken(`it has no ${imageFiles.manifest}`)
  }
  const parsed = manifestSchema.safeParse(parseJson(text))
  if (!parsed.success) {
    throw broken(`its ${imageFiles.manifest} is of another version or damaged`)
  }
  const manifest = parsed.data
  const unlisted = Object.values(imageFiles).filter(file => !(file in manifest.files))
  if (unlisted.some(file => file !== imageFiles.manifest)) {
    throw broken(`its ${imageFiles.manifest} does not list ${unlisted.join(', ')}`)
  }
  for (const [file, { bytes }] of Object.entries(manifest.files)) {
    const found = await stat(join(folder, file)).catch(() => null)
    if (found?.size !== bytes) {
      throw broken(`${file} has ${found?.size ?? 'no'} bytes instead of ${bytes}`)
    }
  }
  return {
    name: manifest.name,
    folder,
    disk: join(folder, manifest.disk.file),
    diskFormat: manifest.disk.format,
    kernel: join(folder, imageFiles.kernel),
    initrd: join(folder, imageFiles.initrd),
    keyPath: join(folder, imageFiles.key),
    hostKey: manifest.hostKey,
    knownHosts: join(folder, imageFiles.knownHosts),
    ...(manifest.hypervisor === undefined ? {} : { hypervisor: join(folder, manifest.hypervisor.file) }),
    guests: new Map(
      Object.entries(manifest.guests ?? {}).map(([name, { key, hostKey }]) => [
        name,
        { keyPath: join(folder, key), hostKey },
      ]),
    ),
    manifest,
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
