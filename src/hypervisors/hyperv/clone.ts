import { win32 } from 'node:path'
import type { Configuration } from '../../config/model.js'
import { cardOf, type Drive, driveOf, type Read } from './output.js'

/** What is made for an instance after a virtual machine of the host. */
export interface ClonePlan {
  /** The folder in which the host makes one of the instance's name. */
  readonly parent: string
  /** The instance's own, with its disks. */
  readonly folder: string
  readonly disk: Drive
}

/** How a clone of a machine is made. Throws Error for a machine that cannot be cloned. */
export function planClone(
  template: Read<'looked'>,
  { instance, path, root }: { readonly instance: string; readonly path: string; readonly root: string },
): ClonePlan {
  const drives = template.disks.map(driveOf)
  const [only, ...others] = drives
  if (others.length > 0) {
    throw new Error(`it has ${drives.length} disks, and only one can be cloned`)
  }
  const parent = instancesFolder(root)
  const folder = win32.join(parent, instance)
  const { type, number, location } = only ?? {
    type: template.generation === 2 ? 'SCSI' : 'IDE',
    number: 0,
    location: 0,
  }
  // A disk that differs from another must have its format, which the name's ending tells.
  const file = win32.join(folder, `${instance}.disk${win32.extname(path)}`)
  return { parent, folder, disk: { type, number, location, path: file } }
}

/** Where the folders of instances are, below that of the host's virtual machines. */
export function instancesFolder(root: string): string {
  return win32.join(root, 'guestcert')
}

/** How a machine is other than the lab declares it: one phrase each. */
export function differences(
  { generation, cpus, startup, disks, nics, dynamic }: Read<'looked'>,
  declared: Configuration,
): string[] {
  const disk = disks.map(driveOf)[0]
  const card = nics.map(cardOf)[0]
  const has: readonly (readonly [what: string, has: unknown, wanted: unknown])[] = [
    ['generation', generation, declared.generation],
    ['firmware', generation === 2 ? 'uefi' : 'bios', declared.firmware],
    ['vCPUs', cpus, declared.vcpus],
    ['memory', startup, declared.memoryBytes],
    ['dynamic memory', dynamic, declared.memoryBytes === undefined ? undefined : false],
    ['disk', disk?.type.toLowerCase(), declared.disk],
    ['network card', card === undefined ? undefined : nicModel(card.isLegacy), declared.nic],
  ]
  return has.flatMap(([what, is, wanted]) =>
    wanted === undefined || is === wanted ? [] : [`${what} is ${String(is)}, not ${String(wanted)}`],
  )
}

/** How a machine is other than the template that it was made after: one phrase each. */
export function unlike(made: Read<'looked'>, template: Read<'looked'>, disk: Drive): string[] {
  const drives = made.disks.map(driveOf)
  const cards = ({ nics }: Read<'looked'>): string =>
    nics
      .map(cardOf)
      .map(({ switchName, isLegacy }) => `${nicModel(isLegacy)} on ${switchName || 'no switch'}`)
      .join(', ')
  const pairs: readonly (readonly [what: string, has: unknown, wanted: unknown])[] = [
    ['generation', made.generation, template.generation],
    ['vCPUs', made.cpus, template.cpus],
    ['memory', made.startup, template.startup],
    ['dynamic memory', made.dynamic, false],
    ['secure boot', made.secureBoot, template.secureBoot],
    ['network cards', cards(made), cards(template)],
    ['disks', JSON.stringify(drives), JSON.stringify([disk])],
  ]
  return pairs.flatMap(([what, has, wanted]) =>
    has === wanted ? [] : [`${what}: ${String(has)}, not ${String(wanted)}`],
  )
}

/** A kind of card as labs name it. */
export function nicModel(isLegacy: boolean): string {
  return isLegacy ? 'legacy' : 'synthetic'
}
