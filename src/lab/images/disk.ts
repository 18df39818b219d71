import { createReadStream, createWriteStream } from 'node:fs'
import { copyFile, mkdir, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import { InfraError } from '../../config/errors.js'
import { type BuiltImage, hypervisorFile, imageFiles } from '../../hypervisors/shared/image.js'
import { runTool, type ToolOptions } from '../../hypervisors/shared/tool.js'
import { guestsFolder, type Recipe } from './recipe.js'

/** The label by which the kernel finds its root, whatever the disk's model. */
const rootLabel = 'guestcert'

/** Unpacks the tree and makes a disk of it. Without mounting, so that it needs no root. */
const unpackAndFormat = [
  'set -eu',
  'umask 022',
  'mkdir "$1/tree"',
  // The kernel fills /dev by itself; making device nodes is not always allowed.
  'tar --extract --numeric-owner --file "$1/tree.tar" --directory "$1/tree" --exclude "./dev/*"',
  // Holes stay holes: mke2fs leaves them out too.
  '[ -z "$4" ] || { mkdir -p "$1/tree$5" && cp -R --sparse=always "$4/." "$1/tree$5"; }',
  'mke2fs -q -F -t ext4 -L "$2" -E root_owner=0:0 -d "$1/tree" "$1/disk.raw" "$3"',
].join('\n')

/** Makes the disk, kernel and initrd of the tree's archive; leaves the unpacked tree in `tree/`. */
export async function makeDisk(
  recipe: Recipe,
  folder: string,
  guests: readonly BuiltImage[],
  options: ToolOptions,
): Promise<void> {
  const sizeKiB = `${Math.ceil(recipe.sizeBytes / 1024)}k`
  const inside = await gatherGuests(guests, folder, options)
  const command = ['sh', '-c', unpackAndFormat, 'sh', folder, rootLabel, sizeKiB, inside, guestsFolder]
  const [tool = 'sh', ...args] = isRoot() ? command : ['fakeroot', '--', ...command]
  await runTool(tool, args, options)
  const raw = join(folder, 'disk.raw')
  const convert = ['convert', '-f', 'raw', '-O', 'qcow2', raw, join(folder, imageFiles.disk)]
  await runTool('qemu-img', convert, options)
  const boot = join(folder, 'tree', 'boot')
  await copyFile(join(boot, await newest(boot, 'vmlinuz-')), join(folder, imageFiles.kernel))
  await copyFile(join(boot, await newest(boot, 'initrd.img-')), join(folder, imageFiles.initrd))
  if (recipe.hypervisor !== undefined) {
    // QEMU unpacks no kernel of this kind by itself.
    const packed = createReadStream(join(boot, await newest(boot, 'xen-', '.gz')))
    await pipeline(packed, createGunzip(), createWriteStream(join(folder, hypervisorFile)))
  }
}

/** Lays kernels, initrds and raw disks of guests out in a folder; gives its path, or nothing. */
async function gatherGuests(
  guests: readonly BuiltImage[],
  folder: string,
  options: ToolOptions,
): Promise<string> {
  if (guests.length === 0) {
    return ''
  }
  const inside = join(folder, 'guests')
  for (const { name, kernel, initrd, disk, diskFormat } of guests) {
    const own = join(inside, name)
    await mkdir(own, { recursive: true })
    await copyFile(kernel, join(own, imageFiles.kernel))
    await copyFile(initrd, join(own, imageFiles.initrd))
    await runTool(
      'qemu-img',
      ['convert', '-f', diskFormat, '-O', 'raw', disk, join(own, 'disk.raw')],
      options,
    )
  }
  return inside
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

async function newest(boot: string, prefix: string, suffix = ''): Promise<string> {
  const names = (await readdir(boot)).filter(name => name.startsWith(prefix) && name.endsWith(suffix))
  const [found] = names.sort((a, b) => b.localeCompare(a, 'en', { numeric: true }))
  if (found === undefined) {
    const message = `the packages brought no ${prefix}*${suffix}: are they in the recipe, as Debian calls them?`
    throw new InfraError(message, { cause: 'runner', where: boot, code: 'command' })
  }
  return found
}
