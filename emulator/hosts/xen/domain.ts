import { randomUUID } from 'node:crypto'
import { make, type Xml } from '../xml.js'
import { listOf, numberOf, textOf, type XlConfig } from './config.js'
import { type CardSpec, cardXml, type DiskSpec, diskXml, readCard, readDisk, SpecMistake } from './devices.js'
import { Ended } from './session.js'

/** A domain as its configuration describes it. */
export interface Described {
  readonly name: string
  readonly xml: Xml
  readonly disks: readonly DiskSpec[]
  readonly cards: readonly CardSpec[]
  readonly kernel: string | undefined
  /** What is said beside, a line each. */
  readonly warnings: readonly string[]
}

const actions = [
  'destroy',
  'restart',
  'rename-restart',
  'preserve',
  'coredump-destroy',
  'coredump-restart',
  'soft-reset',
]

/** Reads what the domain of a configuration shall be. Throws Ended. */
export function describe(config: XlConfig): Described {
  const wrong = (line: string): Ended => new Ended([...config.warnings, line])
  const type = textOf(config, 'type') ?? textOf(config, 'builder') ?? 'pv'
  if (!['pv', 'hvm', 'pvh', 'generic'].includes(type)) throw wrong(`Invalid domain type ${type}.`)
  const isHvm = type === 'hvm'
  const name = textOf(config, 'name')
  if (name === undefined) throw wrong('Domain name must be specified.')
  const uuid = textOf(config, 'uuid') ?? randomUUID()
  if (!/^[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}$/i.test(uuid))
    throw wrong(`Failed to parse UUID: ${uuid}`)
  const vcpus = numberOf(config, 'vcpus') ?? 1
  const most = numberOf(config, 'maxvcpus') ?? vcpus
  if (most < vcpus) throw wrong('xl: maxvcpus < vcpus')
  const memory = numberOf(config, 'memory')
  const maximum = numberOf(config, 'maxmem') ?? memory
  const usual: Readonly<Record<string, string>> = { on_reboot: 'restart' }
  const ends = ['on_poweroff', 'on_reboot', 'on_crash'].map(key => {
    const action = textOf(config, key) ?? usual[key] ?? 'destroy'
    if (!actions.includes(action)) throw wrong(`Unknown ${key} action "${action}" specified`)
    return make(key, {}, action)
  })
  const [kernel, ramdisk, extra, bootloader] = ['kernel', 'ramdisk', 'extra', 'bootloader'].map(key =>
    textOf(config, key),
  )
  const root = textOf(config, 'root')
  const commandLine = [root === undefined ? undefined : `root=${root}`, extra].filter(
    part => part !== undefined,
  )
  const disks = listOf(config, 'disk').map(text => {
    try {
      return readDisk(text, config.file)
    } catch (error) {
      if (error instanceof SpecMistake) throw wrong(error.message)
      throw error
    }
  })
  const mistakes: string[] = []
  const cards = listOf(config, 'vif').map(text => {
    const { card, mistake } = readCard(text.split(','))
    if (mistake !== undefined) mistakes.push(mistake)
    return card
  })
  if (!isHvm && kernel === undefined && bootloader === undefined) {
    throw wrong('Neither kernel nor bootloader specified')
  }
  const kib = (mib: number | undefined): string => String((mib ?? 0) * 1024)
  const isUefi = textOf(config, 'bios') === 'ovmf'
  const xml = make('domain', { type: 'xen' }, [
    make('name', {}, name),
    make('uuid', {}, uuid.toLowerCase()),
    make('memory', { unit: 'KiB' }, kib(maximum)),
    make('currentMemory', { unit: 'KiB' }, kib(memory ?? maximum)),
    make('vcpu', vcpus === most ? {} : { current: String(vcpus) }, String(most)),
    bootloader === undefined ? undefined : make('bootloader', {}, bootloader),
    make('os', isHvm && isUefi ? { firmware: 'efi' } : {}, [
      make('type', {}, isHvm ? 'hvm' : 'linux'),
      kernel === undefined ? undefined : make('kernel', {}, kernel),
      ramdisk === undefined ? undefined : make('initrd', {}, ramdisk),
      commandLine.length === 0 ? undefined : make('cmdline', {}, commandLine.join(' ')),
    ]),
    ...ends,
    make('devices', {}, [...disks.map(diskXml), ...cards.map(cardXml)]),
  ])
  return { name, xml, disks, cards, kernel, warnings: [...config.warnings, ...mistakes] }
}
