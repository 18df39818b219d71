import { createHash } from 'node:crypto'
import { readdir } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { check } from '../../config/check.js'
import { ConfigError, UsageError } from '../../config/errors.js'
import { packageRoot } from '../../config/package-root.js'
import { parseSizeBytes } from '../../config/units.js'
import { readYaml, type YamlFile } from '../../config/yaml.js'
import { type RecipeFileEntry, recipeSchema, type WrittenRecipe, wholeRecipeSchema } from './recipe-schema.js'

/** Raised when the builder makes another image of the same recipe. */
export const builderVersion = 2

/**
 * What the kernel of every image is told. On a busy machine, software emulation delivers no timer interrupt in the time
 * that the kernel's test of its timer allows, and the kernel panics with "IO-APIC + timer doesn't work"
 * (Documentation/admin-guide/kernel-parameters.txt, no_timer_check; a kernel that finds a hypervisor does not test).
 */
export const alwaysToldKernels: readonly string[] = ['no_timer_check']

/** How many recipes may extend each other in a row. */
const maxDepth = 4

/** A file in the guest. */
export interface RecipeFile {
  readonly content: string
  /** Permission bits. */
  readonly mode: number
}

/** How a guest image is made: pure data. */
export interface Recipe {
  readonly name: string
  readonly title: string
  readonly release: string
  readonly arch: 'amd64' | 'i386'
  readonly kernel: string
  readonly packages: readonly string[]
  readonly sizeBytes: number
  readonly bootedMark: string
  readonly kernelArguments: readonly string[]
  readonly hardware: { readonly disk: readonly string[]; readonly nic: readonly string[] }
  /** Paths that packages do not unpack, with `*`. */
  readonly exclude: readonly string[]
  /** Files put there before the packages are set up, by path. */
  readonly early: Readonly<Record<string, RecipeFile>>
  /** Files put there when all packages are set up, by path. */
  readonly files: Readonly<Record<string, RecipeFile>>
  /** Symbolic links: path to target. */
  readonly links: Readonly<Record<string, string>>
  /** Units that never start. */
  readonly mask: readonly string[]
  /** What boots before the kernel. */
  readonly hypervisor?: 'xen'
  /** Images of guests that lie inside this one, below {@link guestsFolder}. */
  readonly guests?: readonly Recipe[]
}

/** Where an image that is a host keeps its guests' kernels, initrds and disks: a folder for each image. */
export const guestsFolder = '/var/lib/guestcert'

/** The folder of the recipes that ship with the program. */
export const recipesFolder: string = join(packageRoot, 'fixtures', 'images')

/** The names of the recipes that ship with the program. */
export async function listRecipes(): Promise<string[]> {
  const files = await readdir(recipesFolder)
  return files
    .filter(file => file.endsWith('.yaml'))
    .map(file => basename(file, '.yaml'))
    .sort()
}

/** Reads a shipped recipe by name, or one of your own by path (with a `/` or ending in `.yaml`). */
export async function loadRecipe(nameOrPath: string): Promise<Recipe> {
  if (nameOrPath.includes('/') || nameOrPath.endsWith('.yaml')) {
    return await readRecipe(nameOrPath)
  }
  const known = await listRecipes()
  if (!known.includes(nameOrPath)) {
    throw new UsageError(`there is no recipe for an image "${nameOrPath}": known are ${known.join(', ')}`)
  }
  return await readRecipe(join(recipesFolder, `${nameOrPath}.yaml`))
}

/** SHA-256 over all that makes the image: the recipe and how it is carried out. */
export function recipeDigest(recipe: Recipe): string {
  return createHash('sha256')
    .update(JSON.stringify([builderVersion, sorted(recipe)]))
    .digest('hex')
}

/** The name of the image's folder in the cache. */
export function imageFolderName(recipe: Recipe): string {
  return `${recipe.name}-${recipeDigest(recipe).slice(0, 16)}`
}

async function readRecipe(file: string): Promise<Recipe> {
  const { written, yaml } = await readWritten(file, maxDepth)
  const whole = wholeRecipeSchema.safeParse(written)
  if (!whole.success) {
    const missing = whole.error.issues.map(issue => `"${issue.path.join('.')}" is missing`)
    throw new ConfigError(missing.map(message => ({ place: yaml.place([]), message })))
  }
  const { data } = whole
  const guests = data.guests === undefined ? undefined : await guestRecipes(data.guests, file, yaml)
  return {
    name: data.image,
    title: data.title,
    release: data.release,
    arch: data.arch,
    kernel: data.kernel,
    packages: data.packages,
    sizeBytes: parseSizeBytes(data.size) ?? 0,
    bootedMark: data.bootedMark,
    kernelArguments: [...new Set([...data.kernelArguments, ...alwaysToldKernels])],
    hardware: data.hardware,
    exclude: data.exclude ?? [],
    early: filesOf(data.early),
    files: filesOf(data.files),
    links: data.links ?? {},
    mask: data.mask ?? [],
    // Absent rather than empty: the digest of a recipe without them stays what it was.
    ...(data.hypervisor === undefined ? {} : { hypervisor: data.hypervisor }),
    ...(guests === undefined ? {} : { guests }),
  }
}

/** The recipes of the guests inside; those have none themselves. */
async function guestRecipes(names: readonly string[], file: string, yaml: YamlFile): Promise<Recipe[]> {
  const recipes: Recipe[] = []
  for (const name of names) {
    const { written } = await readWritten(join(dirname(file), `${name}.yaml`), maxDepth)
    if (written.guests !== undefined) {
      const message = `guests: "${name}" has guests itself: an image inside an image has none`
      throw new ConfigError([{ place: yaml.place(['guests']), message }])
    }
    recipes.push(await readRecipe(join(dirname(file), `${name}.yaml`)))
  }
  return recipes
}

async function readWritten(
  file: string,
  depthLeft: number,
): Promise<{ written: WrittenRecipe; yaml: YamlFile }> {
  const yaml = await readYaml(file)
  const { data, mistakes } = check(yaml, recipeSchema)
  if (data === null) {
    throw new ConfigError(mistakes)
  }
  if (data.extends === undefined) {
    return { written: data, yaml }
  }
  if (depthLeft === 0) {
    const message = `extends: "${data.extends}": more than ${maxDepth} recipes in a row`
    throw new ConfigError([{ place: yaml.place(['extends']), message }])
  }
  const base = await readWritten(join(dirname(file), `${data.extends}.yaml`), depthLeft - 1)
  return { written: extended(base.written, data), yaml }
}

/** A recipe upon another: lists and maps are added to, the rest is replaced. */
function extended(base: WrittenRecipe, own: WrittenRecipe): WrittenRecipe {
  const both = (key: 'packages' | 'kernelArguments' | 'exclude' | 'mask'): string[] => {
    return [...new Set([...(base[key] ?? []), ...(own[key] ?? [])])]
  }
  return {
    ...base,
    ...own,
    packages: both('packages'),
    kernelArguments: both('kernelArguments'),
    exclude: both('exclude'),
    mask: both('mask'),
    ...(base.hardware !== undefined && own.hardware !== undefined
      ? {
          hardware: {
            disk: [...base.hardware.disk, ...own.hardware.disk],
            nic: [...base.hardware.nic, ...own.hardware.nic],
          },
        }
      : {}),
    early: { ...base.early, ...own.early },
    files: { ...base.files, ...own.files },
    links: { ...base.links, ...own.links },
  }
}

function filesOf(entries: Readonly<Record<string, RecipeFileEntry>> = {}): Record<string, RecipeFile> {
  return Object.fromEntries(
    Object.entries(entries).map(([path, entry]) => {
      const { content, mode: octal = '0644' } = typeof entry === 'string' ? { content: entry } : entry
      return [path, { content, mode: Number.parseInt(octal, 8) }]
    }),
  )
}

/** The order of keys in the YAML file changes nothing. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) {
    return value.map(sorted)
  }
  if (typeof value !== 'object' || value === null) {
    return value
  }
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  return Object.fromEntries(entries.map(([key, inner]) => [key, sorted(inner)]))
}
