import type { WindowsMachine } from '../../remote/index.js'
import { unanswered } from './failure.js'
import type { WmiValue } from './values.js'
import { queryWmi } from './wmi.js'

/** A service of Windows. */
export interface ServiceState {
  readonly name: string
  readonly title: string
  readonly state: string
  readonly start: string
  readonly processId: number
  readonly exitCode: number
}

/** A device of Windows. */
export interface DeviceState {
  readonly id: string
  readonly name: string
  readonly manufacturer: string
  readonly service: string
  readonly errorCode: number
}

/** All services. There is no Windows without any: an empty answer is a failed one. Throws InfraError. */
export async function readServices(machine: WindowsMachine, signal: AbortSignal): Promise<ServiceState[]> {
  const objects = await queryWmi(machine, 'Win32_Service', {
    get: ['Name', 'DisplayName', 'State', 'StartMode', 'ProcessId', 'ExitCode'],
    signal,
  })
  if (objects.length === 0) {
    throw unanswered(machine, 'it has no services, by its own account')
  }
  return objects.map(object => ({
    name: text(object.Name),
    title: text(object.DisplayName),
    state: text(object.State),
    start: text(object.StartMode),
    processId: Number(object.ProcessId ?? 0),
    exitCode: Number(object.ExitCode ?? 0),
  }))
}

/** All devices, whatever their state. Throws InfraError. */
export async function readDevices(machine: WindowsMachine, signal: AbortSignal): Promise<DeviceState[]> {
  const objects = await queryWmi(machine, 'Win32_PnPEntity', {
    get: ['ConfigManagerErrorCode', 'DeviceID', 'Manufacturer', 'Name', 'Service'],
    signal,
  })
  return objects.map(object => {
    if (typeof object.ConfigManagerErrorCode !== 'number') {
      throw unanswered(machine, `the device ${text(object.DeviceID)} tells no state`)
    }
    return {
      id: text(object.DeviceID),
      name: text(object.Name),
      manufacturer: text(object.Manufacturer),
      service: text(object.Service),
      errorCode: object.ConfigManagerErrorCode,
    }
  })
}

function text(value: WmiValue | undefined): string {
  return typeof value === 'string' ? value : ''
}
