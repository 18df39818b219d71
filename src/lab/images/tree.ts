import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { runTool, type ToolOptions } from '../../hypervisors/shared/tool.js'
import { isRoot } from './disk.js'
import type { ImageKeys } from './keys.js'
import { type Layer, writeLayer } from './layer.js'
import type { Recipe, RecipeFile } from './recipe.js'

/** Installs the recipe's packages and lays its files over them; gives the archive of the guest's file tree. */
export async function makeTree(
  recipe: Recipe,
  keys: ImageKeys,
  folder: string,
  mirror: string | undefined,
  options: ToolOptions,
): Promise<string> {
  const early = join(folder, 'early.tar')
  const late = join(folder, 'late.tar')
  const tree = join(folder, 'tree.tar')
  await writeLayer(early, { files: recipe.early, links: {}, folders: {} })
  await writeLayer(late, lateLayer(recipe, keys))
  const args = bootstrapArguments(recipe, { early, late, tree }, mirror)
  if (isRoot() && (await canIsolate(options))) {
    const temporary = join(folder, 'tmp')
    await mkdir(temporary)
    const isolated: ToolOptions = { ...options, env: { TMPDIR: temporary }, killSignal: 'SIGKILL' }
    await runTool('unshare', [...isolation, 'mmdebstrap', ...args], isolated)
  } else {
    await runTool('mmdebstrap', args, options)
  }
  return tree
}

/**
 * As root, mmdebstrap mounts `/proc`, `/dev` and more below its temporary folder, in plain sight. In namespaces
 * of its own those mounts and all its processes end with it, however it ends; without root it does so itself.
 */
const isolation = ['--mount', '--pid', '--fork', '--mount-proc', '--kill-child'] as const

/** False in a container that may not make namespaces. */
function canIsolate(options: ToolOptions): Promise<boolean> {
  return runTool('unshare', [...isolation, 'true'], { ...options, onLine: () => {} }).then(
    () => true,
    () => false,
  )
}

/** The arguments of mmdebstrap: as root or without, whichever it may. */
export function bootstrapArguments(
  recipe: Recipe,
  files: { readonly early: string; readonly late: string; readonly tree: string },
  mirror: string | undefined,
): string[] {
  return [
    '--variant=minbase',
    `--architectures=${recipe.arch}`,
    `--include=${[recipe.kernel, ...recipe.packages].join(',')}`,
    // Files that are there already stay as they are.
    '--dpkgopt=force-confold',
    ...recipe.exclude.map(path => `--dpkgopt=path-exclude=${path}`),
    `--essential-hook=tar-in ${quote(files.early)} /`,
    // The packages made keys of their own; only ours, known beforehand, may stay.
    '--customize-hook=rm -f "$1"/etc/ssh/ssh_host_*',
    `--customize-hook=tar-in ${quote(files.late)} /`,
    recipe.release,
    files.tree,
    ...(mirror === undefined ? [] : [mirror]),
  ]
}

function lateLayer(recipe: Recipe, keys: ImageKeys): Layer {
  const file = (content: string, mode: number): RecipeFile => ({ content, mode })
  const masked = recipe.mask.map(unit => [`/etc/systemd/system/${unit}`, '/dev/null'] as const)
  return {
    folders: { '/root/.ssh': 0o700 },
    files: {
      ...recipe.files,
      '/root/.ssh/authorized_keys': file(keys.clientPublic, 0o600),
      '/etc/ssh/ssh_host_ed25519_key': file(keys.hostPrivate, 0o600),
      '/etc/ssh/ssh_host_ed25519_key.pub': file(keys.hostPublic, 0o644),
    },
    links: { ...recipe.links, ...Object.fromEntries(masked) },
  }
}

/** For mmdebstrap's own splitting of a hook's words, which follows the shell's. */
function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}
