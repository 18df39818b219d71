import { stat } from 'node:fs/promises'
import { dirname, isAbsolute, join } from 'node:path'
import { InfraError } from '../../config/errors.js'
import type { Placement } from '../../config/model.js'
import { type BuiltImage, findImage, readImage } from '../shared/image.js'
import { runTool, type ToolOptions } from '../shared/tool.js'
import type { Hardware } from './hardware.js'
import { describeNoDisk } from './image-file.js'

/** What an instance's overlay is laid over, never written to. */
export interface Base {
  readonly disk: string
  readonly format: 'qcow2' | 'raw'
  /** `null` for a disk of your own, which boots by itself. */
  readonly image: BuiltImage | null
}

/** Finds a placement's disk: an image by name, an image's folder, or a qcow2 or raw disk by path. */
export async function findBase(
  placement: Placement,
  cacheFolder: string,
  options: ToolOptions,
): Promise<Base> {
  const { image: name, clean } = placement
  if (clean.kind === 'snapshot') {
    throw refused(options, `clean: a snapshot (${clean.name}): every instance is an overlay of its image`)
  }
  const wanted = clean.kind === 'none' ? name : clean.path
  if (wanted === undefined) {
    throw refused(options, 'a guest without an image')
  }
  if (!wanted.includes('/')) {
    const image = await findImage(wanted, cacheFolder)
    if (image === null) {
      const message = `the image ${wanted} is not built: guestcert lab build ${wanted}`
      throw new InfraError(message, { cause: 'runner', where: options.where, code: 'driver' })
    }
    return { disk: image.disk, format: image.diskFormat, image }
  }
  const path = isAbsolute(wanted) ? wanted : join(dirname(placement.place.file), wanted)
  const found = await stat(path).catch(() => null)
  if (found === null) {
    throw new InfraError(`there is no image ${path}`, {
      cause: 'runner',
      where: options.where,
      code: 'driver',
    })
  }
  if (found.isDirectory()) {
    const image = await readImage(path)
    return { disk: image.disk, format: image.diskFormat, image }
  }
  const why = describeNoDisk(path)
  if (why !== null) {
    throw new InfraError(`${path} is ${why}`, { cause: 'runner', where: options.where, code: 'driver' })
  }
  return { disk: path, format: await formatOf(path, options), image: null }
}

/** Refuses hardware that an image has no drivers for: its guest would wait for its root disk for ever. */
export function checkDrivers({ image }: Base, { disk, nic }: Hardware, where: string): void {
  if (image === null) {
    return
  }
  const { hardware, name } = image.manifest
  for (const [kind, model, known] of [
    ['disk', disk, hardware.disk],
    ['nic', nic, hardware.nic],
  ] as const) {
    if (!known.includes(model)) {
      const message = `${where}: the image ${name} has no driver for ${kind} ${model}, but for ${known.join(', ')}`
      throw new InfraError(message, { cause: 'runner', where, code: 'driver' })
    }
  }
}

async function formatOf(path: string, options: ToolOptions): Promise<'qcow2' | 'raw'> {
  const text = await runTool('qemu-img', ['info', '--output=json', path], options)
  const { format } = JSON.parse(text) as { readonly format?: unknown }
  if (format === 'qcow2' || format === 'raw') {
    return format
  }
  throw refused(options, `a disk of format ${String(format)} (${path}): qcow2 or raw`)
}

function refused({ where }: ToolOptions, what: string): InfraError {
  return new InfraError(`${where}: the driver qemu cannot do ${what}`, {
    cause: 'runner',
    where,
    code: 'driver',
  })
}
