import { at, make, type Xml } from '../xml.js'

/** A specification of a disk or a card that xl does not take: what it says of it. */
export class SpecMistake extends Error {}

/** One disk: xl-disk-configuration(5). */
export interface DiskSpec {
  readonly target: string
  readonly vdev: string
  readonly format: string
  readonly isWritable: boolean
  readonly isCdrom: boolean
}

/** One network card: xl-network-configuration(5). */
export interface CardSpec {
  readonly mac?: string
  readonly bridge?: string
  readonly model?: string
  readonly ip?: string
}

const formats = ['raw', 'qcow', 'qcow2', 'vhd', 'qed', 'empty']
const accesses: Readonly<Record<string, boolean>> = { r: false, ro: false, w: true, rw: true }
const diskMistake = 'config parsing error in disk specification: '

/** Reads a disk: by place, by key, or with the prefixes of older hosts. Throws SpecMistake. */
export function readDisk(text: string, where: string): DiskSpec {
  const found: Record<string, string> = {}
  const wrong = (what: string): never => {
    throw new SpecMistake(`${where}: ${diskMistake}${what} in \`${text}'`)
  }
  const places = ['target', 'format', 'vdev', 'access']
  let place = 0
  let isCdrom = false
  for (let rest = text; rest !== ''; ) {
    const [part = ''] = rest.split(',')
    const [, key, value] = /^([a-z][a-z-]*)=(.*)$/s.exec(part.trim()) ?? []
    if (key === 'target') {
      // It comes last and may hold commas.
      found.target = rest.trim().slice('target='.length)
      break
    }
    if (key !== undefined && value !== undefined) {
      if (!['format', 'vdev', 'access', 'devtype', 'backend', 'backendtype', 'script'].includes(key)) {
        wrong(`unknown parameter: near \`${rest.length > part.length ? `${part},` : part}'`)
      }
      found[key] = value
    } else if (part.trim() === 'cdrom') isCdrom = true
    else {
      const old = /^(?:file|phy|tap2?|aio):(?:aio:)?(.*)$/s.exec(part.trim())
      if (place === 0 && old) {
        found.target = old[1] ?? ''
        found.format = 'raw'
        place = places.indexOf('vdev')
      } else {
        const name = places[place++]
        if (name !== undefined && part.trim() !== '') found[name] = part.trim()
      }
    }
    rest = rest.slice(part.length + 1)
  }
  const { format = 'raw', access = 'rw', target = '' } = found
  const [vdev = '', suffix] = (found.vdev ?? '').split(':')
  isCdrom ||= suffix === 'cdrom' || found.devtype === 'cdrom'
  if (!formats.includes(format)) wrong(`unknown value for format: near \`${format}'`)
  const isWritable = accesses[access]
  if (isWritable === undefined) wrong(`unknown value for access: near \`${access}'`)
  if (vdev === '') wrong('no vdev specified')
  if (target === '' && !isCdrom) wrong('no target specified (and device not removable)')
  return { target, vdev, format, isWritable: isWritable === true && !isCdrom, isCdrom }
}

/** Reads a card. What is wrong is said, and the rest of it not taken. */
export function readCard(parts: readonly string[]): { card: CardSpec; mistake: string | undefined } {
  const card: Record<string, string> = {}
  for (const part of parts.map(item => item.trim()).filter(item => item !== '')) {
    const [, key = '', value = ''] = /^([a-z]+)=(.*)$/.exec(part) ?? []
    if (
      !['mac', 'bridge', 'model', 'ip', 'type', 'script', 'vifname', 'backend', 'rate', 'mtu'].includes(key)
    ) {
      return { card, mistake: `unrecognized argument \`${part}'` }
    }
    const isWrong =
      (key === 'mac' && !/^(?:[0-9a-f]{2}:){5}[0-9a-f]{2}$/i.test(value)) ||
      (key === 'type' && !['vif', 'ioemu'].includes(value))
    if (isWrong) return { card, mistake: `Invalid parameter \`${key}'.` }
    if (key !== 'type' && value !== '') card[key] = key === 'mac' ? value.toLowerCase() : value
  }
  return { card, mistake: undefined }
}

/** The number of a virtual disk (docs/man/xen-vbd-interface(7)); undefined for a name that is none. */
export function diskNumber(vdev: string): number | undefined {
  if (/^\d+$/.test(vdev)) return Number(vdev)
  const [, kind = '', letters = '', part = '0'] = /^(xvd|hd|sd)([a-z]{1,2})(\d*)$/.exec(vdev) ?? []
  if (kind === '') return undefined
  const disk = [...letters].reduce((sum, letter) => sum * 26 + letter.charCodeAt(0) - 96, 0) - 1
  const partition = Number(part)
  if (kind === 'hd') return disk > 3 ? undefined : (disk < 2 ? 3 : 22) * 256 + (disk % 2) * 64 + partition
  if (disk < 16 && partition < 16) return (kind === 'xvd' ? 202 : 8) * 256 + disk * 16 + partition
  return kind === 'xvd' ? 2 ** 28 + disk * 256 + partition : undefined
}

export function diskXml({ target, vdev, format, isWritable, isCdrom }: DiskSpec): Xml {
  const bus = vdev.startsWith('hd') ? 'ide' : vdev.startsWith('sd') ? 'scsi' : 'xen'
  return make(
    'disk',
    { type: target.startsWith('/dev/') ? 'block' : 'file', device: isCdrom ? 'cdrom' : 'disk' },
    [
      make('driver', { name: 'qemu', type: format }),
      target === '' ? undefined : make('source', { file: target }),
      make('target', { dev: vdev, bus }),
      isWritable ? undefined : make('readonly'),
    ],
  )
}

export function cardXml({ mac, bridge, model, ip }: CardSpec, index: number): Xml {
  return make('interface', { type: 'bridge' }, [
    mac === undefined ? undefined : make('mac', { address: mac }),
    bridge === undefined ? undefined : make('source', { bridge }),
    model === undefined ? undefined : make('model', { type: model }),
    ip === undefined ? undefined : make('ip', { address: ip }),
    make('alias', { name: `vif-${index}` }),
  ])
}

/** The number that a card has among those of its domain. */
export function cardNumber(card: Xml, place: number): number {
  const name = at(card, 'alias')?.attributes.name ?? ''
  return Number(/^vif-(\d+)$/.exec(name)?.[1] ?? place)
}
