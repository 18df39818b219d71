import { closeSync, openSync, readSync, statSync } from 'node:fs'
import { isAbsolute, join } from 'node:path'
import type { PlacementFile } from '../../config/lab-schema.js'

/** As much of a file as tells a disk from a text. */
const lookedAtBytes = 4096
const sectorBytes = 512
const expected =
  'expected the name of an image that "guestcert lab build" made, its folder, or a qcow2 or raw disk by path'

/** What begins so is a disk or an archive, but none that QEMU is given here. */
const foreignFormats: readonly (readonly [start: string, name: string, cure: 'convert' | 'unpack'])[] = [
  ['KDMV', 'a VMDK disk', 'convert'],
  ['COWD', 'a VMDK disk', 'convert'],
  ['# Disk DescriptorFile', 'the descriptor of a VMDK disk', 'convert'],
  ['vhdxfile', 'a VHDX disk', 'convert'],
  ['conectix', 'a VHD disk', 'convert'],
  ['<<< ', 'a VDI disk', 'convert'],
  ['QED\0', 'a QED disk', 'convert'],
  ['\x1f\x8b', 'a gzip archive', 'unpack'],
  ['BZh', 'a bzip2 archive', 'unpack'],
  ['\xfd7zXZ', 'an xz archive', 'unpack'],
  ['(\xb5/\xfd', 'a zstd archive', 'unpack'],
  ['PK\x03\x04', 'a zip archive', 'unpack'],
  ['7z\xbc\xaf', 'a 7z archive', 'unpack'],
]

/**
 * What is wrong with the image of a placement, as far as its file tells without booting it. A file that is not there
 * yet is not a mistake here: the lab may be planned elsewhere.
 */
export function imageMistakes({
  image,
  clean,
  folder,
}: Pick<PlacementFile, 'image' | 'clean'> & { readonly folder: string }): string[] {
  const named = [
    ...(image === undefined ? [] : [{ key: 'image', name: image }]),
    ...(typeof clean === 'object' && 'overlay' in clean ? [{ key: 'overlay', name: clean.overlay }] : []),
    ...(typeof clean === 'object' && 'copy' in clean ? [{ key: 'copy', name: clean.copy }] : []),
  ]
  return named.flatMap(({ key, name }) => {
    const path = isAbsolute(name) ? name : join(folder, name)
    const why = describeNoDisk(path)
    if (why !== null) {
      return [`${key}: ${name} is ${why}`]
    }
    // A name without "/" is looked up among the built images, and never as a file.
    const isFileName = key === 'image' && !name.includes('/') && /\.(qcow2|img|raw|iso|ya?ml)$/i.test(name)
    return isFileName
      ? [`${key}: ${name} is the name of a file: write "./${name}" for it, or ${expected}`]
      : []
  })
}

/** Why a file is not a disk to boot from, and what to write instead; `null` for a disk, a folder, or no file at all. */
export function describeNoDisk(path: string): string | null {
  const start = readStart(path)
  if (start === null) {
    return null
  }
  const text = start.toString('latin1')
  const foreign = foreignFormats.find(([magic]) => text.startsWith(magic))
  if (foreign !== undefined) {
    const [, name, cure] = foreign
    const convert = `convert it with: qemu-img convert -O qcow2 ${path} NEW.qcow2`
    return `${name}: ${cure === 'convert' ? convert : 'unpack it first'}`
  }
  if (text.startsWith('QFI\xfb')) {
    return null
  }
  const recipe = /^image: *["']?([a-z0-9][a-z0-9._-]*)/m.exec(text)?.[1]
  if (recipe !== undefined && isText(start)) {
    return `a recipe, not an image: build it with "guestcert lab build ${path}", and write "image: ${recipe}"`
  }
  if (start.length < sectorBytes) {
    return start.length === 0 ? `an empty file: ${expected}` : `too small for a disk: ${expected}`
  }
  return isText(start) ? `a text file, not a disk: ${expected}` : null
}

function readStart(path: string): Buffer | null {
  try {
    if (!statSync(path).isFile()) {
      return null
    }
    const file = openSync(path, 'r')
    try {
      const buffer = Buffer.alloc(lookedAtBytes)
      return buffer.subarray(0, readSync(file, buffer, 0, lookedAtBytes, 0))
    } finally {
      closeSync(file)
    }
  } catch {
    // What cannot be read is refused with its own reason when it is used.
    return null
  }
}

/** No byte that no text has. A disk has zeros long before its first page ends. */
function isText(start: Buffer): boolean {
  return start.every(byte => byte >= 0x20 || byte === 0x09 || byte === 0x0a || byte === 0x0d || byte === 0x0c)
}
