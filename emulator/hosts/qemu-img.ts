import { fromText, toText } from '../files/bytes.js'
import { SystemError } from '../files/errno.js'
import { absolute } from '../files/tree.js'
import { writeTo } from '../programs/io.js'
import { readOptions } from '../programs/options.js'
import type { Call, Program } from '../system/programs.js'
import type { ImageHead, Images } from './images.js'

const units: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  k: 1024,
  K: 1024,
  M: 1024 ** 2,
  G: 1024 ** 3,
  T: 1024 ** 4,
}

/** qemu-img, as far as `create` and `info` go. */
export function qemuImgProgram(images: Images): Program {
  return async call => {
    const [verb, ...args] = call.args
    try {
      if (verb === 'info') return await info(call, images, args)
      if (verb === 'create') return await create(call, images, args)
    } catch (error) {
      if (!(error instanceof SystemError)) throw error
      const path = toText(error.path)
      await writeTo(call.process, 2, fromText(`qemu-img: Could not open '${path}': ${error.text}\n`))
      return 1
    }
    await writeTo(call.process, 2, `qemu-img: Command not found: ${verb ?? ''}\n`)
    return 1
  }
}

async function info(call: Call, images: Images, args: Call['args']): Promise<number> {
  const { operands } = readOptions(args, 'f:U', { format: 'f', 'force-share': 'U' })
  const [path = ''] = operands
  const { format, virtualBytes, backing, backingFormat } = images.read(
    call.system.tree,
    toText(place(call, path)),
  )
  const lines = [
    `image: ${toText(path)}`,
    `file format: ${format}`,
    `virtual size: ${sizeWords(virtualBytes)} (${virtualBytes} bytes)`,
    'disk size: 196 KiB',
    ...(format === 'qcow2' ? ['cluster_size: 65536'] : []),
    ...(backing === undefined ? [] : [`backing file: ${backing}`]),
    ...(backingFormat === undefined ? [] : [`backing file format: ${backingFormat}`]),
  ]
  await writeTo(call.process, 1, fromText(`${lines.join('\n')}\n`))
  return 0
}

async function create(call: Call, images: Images, args: Call['args']): Promise<number> {
  const options = readOptions(args, 'f:F:b:o:qu', { quiet: 'q' })
  const [path = '', sizeText] = options.operands
  const format = options.value('f') ?? 'raw'
  if (format !== 'qcow2' && format !== 'raw') {
    await writeTo(call.process, 2, `qemu-img: ${path}: Unknown file format '${format}'\n`)
    return 1
  }
  const backing = options.value('b')
  const below =
    backing === undefined ? undefined : images.read(call.system.tree, toText(place(call, backing)))
  const bytes = sizeText === undefined ? below?.virtualBytes : sizeBytes(sizeText)
  if (bytes === undefined) {
    await writeTo(call.process, 2, `qemu-img: ${path}: Image creation needs a size parameter\n`)
    return 1
  }
  const head: ImageHead = {
    format,
    virtualBytes: bytes,
    ...(backing === undefined ? {} : { backing: toText(place(call, backing)) }),
    ...(below === undefined ? {} : { backingFormat: toText(options.value('F') ?? below.format) }),
  }
  images.write(call.system.tree, toText(place(call, path)), head)
  if (!options.has('q')) {
    await writeTo(call.process, 1, `Formatting '${path}', fmt=${format} size=${bytes}\n`)
  }
  return 0
}

function place(call: Call, path: string): string {
  return absolute(call.process.cwd, path)
}

function sizeBytes(text: string): number | undefined {
  const [, digits, unit = ''] = /^(\d+)([bkKMGT]?)$/.exec(text) ?? []
  return digits === undefined ? undefined : Number(digits) * (units[unit] ?? 1)
}

function sizeWords(bytes: number): string {
  return bytes >= 1024 ** 3
    ? `${+(bytes / 1024 ** 3).toPrecision(3)} GiB`
    : `${+(bytes / 1024 ** 2).toPrecision(3)} MiB`
}
