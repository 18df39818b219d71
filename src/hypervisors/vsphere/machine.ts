import type { Devices, Observation, Power } from '../managed-vm/observation.js'
import type { Properties } from './api/properties.js'
import {
  childrenOf,
  type Element,
  find,
  numberAt,
  type Reference,
  referenceOf,
  textAt,
} from './soap/element.js'

/** What is read of a virtual machine to see what it does. */
export const statePaths: readonly string[] = [
  'name',
  'runtime.powerState',
  'runtime.connectionState',
  'runtime.host',
  'summary.runtime.bootTime',
  'runtime.question',
]

/** What is read besides to see what it has. */
export const hardwarePath = 'config.hardware'

/** The state of a machine by what was read of it; where it is is added by whoever knows the hosts. */
export type MachineState = Pick<Observation, 'power' | 'said' | 'incarnation' | 'question' | 'account'> & {
  readonly on: Reference | undefined
}

const powers: Readonly<Record<string, Power>> = { poweredOn: 'on', poweredOff: 'off', suspended: 'paused' }

/** Reads the state of a machine (VirtualMachineRuntimeInfo). */
export function stateOf(read: Properties): MachineState {
  const said = read.text('runtime.powerState') ?? 'unknown'
  const connection = read.text('runtime.connectionState') ?? 'connected'
  const question = questionOf(read.at('runtime.question'))
  const known = {
    incarnation: read.text('summary.runtime.bootTime') ?? null,
    on: referenceOf(read.at('runtime.host')),
    ...(question === null ? {} : { question }),
  }
  switch (connection) {
    case 'connected':
      return { ...known, power: powers[said] ?? 'busy', said }
    case 'disconnected':
      // The vCenter does not reach its host: what runs there goes on, and its state is the last one known.
      return {
        ...known,
        power: said === 'poweredOn' ? 'busy' : (powers[said] ?? 'busy'),
        said: `${said}, ${connection}`,
      }
    default:
      return {
        ...known,
        power: 'off',
        said: `${said}, ${connection}`,
        account: { cause: 'host', why: `the virtual machine is ${connection}` },
      }
  }
}

/** What a machine asks a person, with the answers that it takes. */
function questionOf(question: Element | undefined): string | null {
  if (question === undefined || question.children.length === 0) {
    return null
  }
  const text = textAt(question, 'text') ?? ''
  const choices = childrenOf(find(question, 'choice'), 'choiceInfo').map(each => textAt(each, 'label'))
  return `${text.replace(/\s+/g, ' ')} (${choices.filter(each => each !== undefined).join(', ')})`
}

/** The devices of a machine, in the order in which it has them. */
export function devicesIn(hardware: Element | undefined): readonly Element[] {
  return childrenOf(hardware, 'device')
}

/** What a machine has (VirtualHardware). Disks go by their serial number, cards by their MAC address. */
export function hardwareOf(hardware: Element | undefined): Devices {
  const devices = devicesIn(hardware)
  return {
    disks: devices.filter(isDisk).map(serialOf),
    nics: devices.filter(isNic).map(macOf),
    vcpus: numberAt(hardware, 'numCPU') ?? null,
    memoryBytes: memoryOf(hardware),
  }
}

function memoryOf(hardware: Element | undefined): number | null {
  const mib = numberAt(hardware, 'memoryMB')
  return mib === undefined ? null : mib * 2 ** 20
}

export function isDisk({ type }: Element): boolean {
  return type === 'VirtualDisk'
}

/** Every card has an address; nothing else does. */
export function isNic(device: Element): boolean {
  return find(device, 'macAddress') !== undefined
}

/** A disk's serial number as its guest reads it where `disk.EnableUUID` is set: the UUID of its file, without dashes. */
export function serialOf(disk: Element): string {
  const uuid = textAt(disk, 'backing', 'uuid') ?? ''
  return uuid === '' ? `key-${textAt(disk, 'key') ?? ''}` : uuid.replaceAll('-', '').toLowerCase()
}

export function macOf(nic: Element): string {
  return (textAt(nic, 'macAddress') ?? '').toLowerCase()
}
