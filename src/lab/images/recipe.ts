import { createHash } from 'node:crypto'
import { readdir } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { z } from 'zod'
import { check } from '../../config/check.js'
import { ConfigError, UsageError } from '../../config/errors.js'
import { packageRoot } from '../../config/package-root.js'
import { id, size, text } from '../../config/scalars.js'
import { parseSizeBytes } from '../../config/units.js'
import { readYaml } from '../../config/yaml.js'

/** Raised when the builder makes another image of the same recipe. */
export const builderVersion = 1

const packageName = z.string().regex(/^[a-z0-9][a-z0-9+.-]+$/, 'expected the name of a Debian package')
const absolutePath = z
  .string()
  .regex(/^(\/[^/\0]+)+$/, 'expected an absolute path in the guest')
  .refine(path => !path.split('/').includes('..'), 'expected a path without ".."')
const mode = z.string().regex(/^0[0-7]{3}$/, 'expected a mode in quotes, such as "0644"')
const fileEntry = z.union([z.string(), z.strictObject({ content: z.string(), mode: mode.optional() })])
const unit = z
  .string()
  .regex(/^[A-Za-z0-9@_.\\-]+\.[a-z]+$/, 'expected the name of a unit, such as "fstrim.timer"')

/** What a recipe in `fixtures/images/` may hold. */
export const recipeSchema = z.strictObject({
  image: id,
  title: text,
  release: id.meta({ description: "Debian's release by its code name" }),
  arch: z.enum(['amd64', 'i386']),
  kernel: packageName,
  packages: z.array(packageName).min(1, 'expected at least one package'),
  size,
  bootedMark: text.meta({ description: 'What the console says when the guest can be reached' }),
  kernelArguments: z.array(z.string().regex(/^\S+$/, 'expected one argument without spaces')),
  hardware: z.strictObject({ disk: z.array(id).min(1), nic: z.array(id).min(1) }),
  exclude: z.array(absolutePath).optional(),
  early: z.record(absolutePath, fileEntry).optional(),
  files: z.record(absolutePath, fileEntry).optional(),
  links: z.record(absolutePath, absolutePath).optional(),
  mask: z.array(unit).optional(),
})

/** A file in the guest; `mode` in octal. */
export interface RecipeFile {
  readonly content: string
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
  readonly exclude: readonly string[]
  /** Files put there before the packages are set up, by path. */
  readonly early: Readonly<Record<string, RecipeFile>>
  /** Files put there when all packages are set up, by path. */
  readonly files: Readonly<Record<string, RecipeFile>>
  /** Symbolic links: path to target. */
  readonly links: Readonly<Record<string, string>>
  /** Units that never start. */
  readonly mask: readonly string[]
}

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
  const yaml = await readYaml(file)
  const { data, mistakes } = check(yaml, recipeSchema)
  if (data === null) {
    throw new ConfigError(mistakes)
  }
  return {
    name: data.image,
    title: data.title,
    release: data.release,
    arch: data.arch,
    kernel: data.kernel,
    packages: data.packages,
    sizeBytes: parseSizeBytes(data.size) ?? 0,
    bootedMark: data.bootedMark,
    kernelArguments: data.kernelArguments,
    hardware: data.hardware,
    exclude: data.exclude ?? [],
    early: filesOf(data.early),
    files: filesOf(data.files),
    links: data.links ?? {},
    mask: data.mask ?? [],
  }
}

function filesOf(
  entries: Readonly<Record<string, z.infer<typeof fileEntry>>> = {},
): Record<string, RecipeFile> {
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
