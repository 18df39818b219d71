import { copyFile, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { InfraError } from '../../config/errors.js'
import { imageFiles } from '../../hypervisors/qemu/image.js'
import { runTool, type ToolOptions } from '../../hypervisors/qemu/tool.js'
import type { Recipe } from './recipe.js'

/** The label by which the kernel finds its root, whatever the disk's model. */
const rootLabel = 'guestcert'

/** Unpacks the tree and makes a disk of it. Without mounting, so that it needs no root. */
const unpackAndFormat = [
  'set -eu',
  'umask 022',
  'mkdir "$1/tree"',
  // The kernel fills /dev by itself; making device nodes is not always allowed.
  'tar --extract --numeric-owner --file "$1/tree.tar" --directory "$1/tree" --exclude "./dev/*"',
  'mke2fs -q -F -t ext4 -L "$2" -E root_owner=0:0 -d "$1/tree" "$1/disk.raw" "$3"',
].join('\n')

/** Makes the disk, kernel and initrd of the tree's archive; leaves the unpacked tree in `tree/`. */
export async function makeDisk(recipe: Recipe, folder: string, options: ToolOptions): Promise<void> {
  const sizeKiB = `${Math.ceil(recipe.sizeBytes / 1024)}k`
  const command = ['sh', '-c', unpackAndFormat, 'sh', folder, rootLabel, sizeKiB]
  const [tool = 'sh', ...args] = isRoot() ? command : ['fakeroot', '--', ...command]
  await runTool(tool, args, options)
  const raw = join(folder, 'disk.raw')
  const convert = ['convert', '-f', 'raw', '-O', 'qcow2', raw, join(folder, imageFiles.disk)]
  await runTool('qemu-img', convert, options)
  const boot = join(folder, 'tree', 'boot')
  await copyFile(join(boot, await newest(boot, 'vmlinuz-')), join(folder, imageFiles.kernel))
  await copyFile(join(boot, await newest(boot, 'initrd.img-')), join(folder, imageFiles.initrd))
}

/** Every package that dpkg says is installed in the unpacked tree, by name. */
export async function installedPackages(folder: string): Promise<{ name: string; version: string }[]> {
  const status = await readFile(join(folder, 'tree', 'var', 'lib', 'dpkg', 'status'), 'utf8')
  return parseStatus(status)
}

/** Reads dpkg's status file (deb822 paragraphs). */
export function parseStatus(status: string): { name: string; version: string }[] {
  return status
    .split(/\n\n+/)
    .filter(paragraph => /^Status: install ok installed$/m.test(paragraph))
    .map(paragraph => ({ name: field(paragraph, 'Package'), version: field(paragraph, 'Version') }))
    .sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0))
}

/** True when files may be given to root as they are unpacked. */
export function isRoot(): boolean {
  return process.getuid?.() === 0
}

function field(paragraph: string, name: string): string {
  return new RegExp(`^${name}: (.*)$`, 'm').exec(paragraph)?.[1] ?? ''
}

async function newest(boot: string, prefix: string): Promise<string> {
  const names = (await readdir(boot)).filter(name => name.startsWith(prefix))
  const [found] = names.sort((a, b) => b.localeCompare(a, 'en', { numeric: true }))
  if (found === undefined) {
    const message = `the packages brought no ${prefix}*: is the recipe's kernel one that Debian calls linux-image-…?`
    throw new InfraError(message, { cause: 'runner', where: boot, code: 'command' })
  }
  return found
}
