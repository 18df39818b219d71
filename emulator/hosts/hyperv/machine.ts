import { disksOf, macOf, memoryKiB, nicsOf, uuidFrom, vcpusOf } from '../domain.js'
import { nameOf, uuidOf, type Vm, xmlOf } from '../vm.js'
import { at, make, text, type Xml } from '../xml.js'

/** What Hyper-V keeps of a virtual machine beside what every hypervisor has. */
export interface Kept {
  notes: string
  secureBoot: 'On' | 'Off'
  /** Checkpoints in the order in which they were made: identifiers by name. */
  readonly checkpoints: Map<string, string>
  /** Gone back to a checkpoint with memory: it goes on when it is started. */
  isSaved: boolean
  /** Looks that still find the disks of a deleted checkpoint unmerged. */
  merging: number
  /** Looks that still find no address. */
  silent: number
  switchOf: Map<string, string>
}

/** What a machine is made from. */
export interface MachineRequest {
  readonly name: string
  readonly generation: 1 | 2
  readonly vcpus: number
  readonly memoryBytes: number
  readonly disk: string
  readonly bus: 'ide' | 'scsi'
  readonly cards: readonly { readonly mac: string | undefined; readonly model: string; readonly on: string }[]
}

/** The machine as the model of all hypervisors has it. */
export function machineXml(request: MachineRequest): Xml {
  const { name, generation, vcpus, memoryBytes, disk, bus, cards } = request
  const kib = String(Math.round(memoryBytes / 1024))
  return make('domain', { type: 'hyperv' }, [
    make('name', {}, name),
    make('uuid', {}, uuidFrom(`hyperv ${name} ${Math.random()}`)),
    make('generation', {}, String(generation)),
    make('memory', { unit: 'KiB' }, kib),
    make('currentMemory', { unit: 'KiB' }, kib),
    make('vcpu', {}, String(vcpus)),
    make('os', generation === 2 ? { firmware: 'efi' } : {}, [make('type', { arch: 'x86_64' }, 'hvm')]),
    make('devices', {}, [
      diskXml(disk, bus, 0),
      ...cards.map(({ mac, model, on }) => cardXml(mac, model, on)),
    ]),
  ])
}

/** A disk at a place of its controller. */
export function diskXml(file: string, bus: 'ide' | 'scsi', location: number): Xml {
  const letter = String.fromCharCode('a'.charCodeAt(0) + location)
  return make('disk', { type: 'file', device: 'disk' }, [
    make('driver', { type: 'qcow2' }),
    make('source', { file }),
    make('target', { dev: `${bus === 'scsi' ? 'sd' : 'hd'}${letter}`, bus }),
  ])
}

/** A card on a switch. */
export function cardXml(mac: string | undefined, model: string, on: string): Xml {
  return make('interface', { type: 'bridge' }, [
    mac === undefined ? undefined : make('mac', { address: mac }),
    make('source', { bridge: on }),
    make('model', { type: model }),
  ])
}

/** `D:\clean\a.vhdx` as the model's tree has it. */
export function treePath(path: string): string {
  return `/${path.replace(/^([A-Za-z]):/, (_, drive: string) => drive.toLowerCase()).replaceAll('\\', '/')}`
}

/** The same as Windows writes it. */
export function windowsPath(path: string): string {
  return path.replace(/^\/([a-z])\//, (_, drive: string) => `${drive.toUpperCase()}:/`).replaceAll('/', '\\')
}

/** Which Hyper-V's own words for a state are (Microsoft.HyperV.PowerShell.VMState). */
export function stateOf(vm: Vm, { isSaved }: Kept): string {
  if (isSaved) return 'Saved'
  const words = {
    running: 'Running',
    paused: 'Paused',
    'in shutdown': 'Stopping',
    'shut off': 'Off',
    crashed: 'Off',
  } as const
  return words[vm.state]
}

export function generationOf(vm: Vm): string {
  return text(xmlOf(vm), 'generation') ?? '1'
}

/** A row of the text `look`. */
export function lookedAt(vm: Vm, kept: Kept): Readonly<Record<string, string | null | readonly string[]>> {
  const xml = xmlOf(vm)
  const kib = vm.running ? vm.running.share.memoryBytes / 1024 : 0
  const [newest] = [...kept.checkpoints.values()].slice(-1)
  const layer = newest ?? (kept.merging > 0 ? uuidOf(vm) : undefined)
  return {
    id: uuidOf(vm),
    name: nameOf(vm),
    state: stateOf(vm, kept),
    generation: generationOf(vm),
    clustered: 'False',
    cpus: String(vcpusOf(xml).most),
    startup: String(memoryKiB(xml) * 1024),
    assigned: String(kept.isSaved ? 0 : kib * 1024),
    dynamic: 'False',
    secureBoot: generationOf(vm) === '2' ? kept.secureBoot : null,
    notes: kept.notes,
    disks: disksOf(xml).map(({ bus, target, file = '' }) => {
      const location = target.charCodeAt(2) - 'a'.charCodeAt(0)
      const place = bus === 'scsi' ? [0, location] : [Math.floor(location / 2), location % 2]
      return [bus.toUpperCase(), ...place, layered(windowsPath(file), layer)].join('\t')
    }),
    nics: nicsOf(xml).map(nic => {
      const isLegacy = at(nic, 'model')?.attributes.type === 'legacy'
      const on = at(nic, 'source')?.attributes.bridge ?? ''
      return [shownMac(macOf(nic)), on, isLegacy ? 'True' : 'False'].join('\t')
    }),
    snapshots: [...kept.checkpoints].map(([name, id]) => `${id}\t${name}`),
  }
}

/** While there is a checkpoint a machine writes to a disk of another name. */
function layered(path: string, layer: string | undefined): string {
  return layer === undefined ? path : path.replace(/\.(vhdx?)$/, `_${layer.toUpperCase()}.a$1`)
}

/** Without separators. */
export function shownMac(mac: string | undefined): string {
  return (mac ?? '00:00:00:00:00:00').replaceAll(':', '').toUpperCase()
}

/** Takes a device away, whatever its guest does: Hyper-V asks nobody. */
export function takeAway(vm: Vm, isIt: (device: Xml) => boolean): void {
  const { running, persistent } = vm
  for (const xml of [running?.xml, persistent]) {
    const devices = at(xml, 'devices')
    if (devices)
      devices.children = devices.children.filter(child => typeof child === 'string' || !isIt(child))
  }
  if (!running) return
  const left = running.xml
  const isLeft = (device: (typeof running.devices)[number]): boolean =>
    device.kind === 'disk'
      ? disksOf(left).some(({ target }) => target === device.target)
      : nicsOf(left).some(nic => macOf(nic) === device.mac)
  for (const device of running.devices.filter(one => !isLeft(one))) running.guest?.unplug(device)
  running.devices = running.devices.filter(isLeft)
}
