import type { WindowsPersona } from '../persona/schema.js'
import { type Circumstances, holds } from '../system/nt.js'

export interface DriverFacts {
  readonly version: string
  readonly date: string
  readonly provider: string
  readonly inf: string
  readonly signer: string | null
  readonly signed: boolean
}

export interface Device {
  readonly id: string
  readonly name: string
  readonly class: string
  readonly classGuid: string
  readonly manufacturer: string | null
  readonly service: string | null
  readonly hardwareIds: readonly string[]
  readonly compatibleIds: readonly string[]
  readonly errorCode: number
  readonly status: string
  readonly driver: DriverFacts | null
  readonly role: string | undefined
}

/** Ids of the device classes. See System-Defined Device Setup Classes at learn.microsoft.com. */
const classGuids: Readonly<Record<string, string>> = {
  Net: '{4d36e972-e325-11ce-bfc1-08002be10318}',
  SCSIAdapter: '{4d36e97b-e325-11ce-bfc1-08002be10318}',
  HDC: '{4d36e96a-e325-11ce-bfc1-08002be10318}',
  System: '{4d36e97d-e325-11ce-bfc1-08002be10318}',
  DiskDrive: '{4d36e967-e325-11ce-bfc1-08002be10318}',
  Display: '{4d36e968-e325-11ce-bfc1-08002be10318}',
  Processor: '{50127dc3-0f36-415e-a6cc-4cb3be910b65}',
  CDROM: '{4d36e965-e325-11ce-bfc1-08002be10318}',
  Computer: '{4d36e966-e325-11ce-bfc1-08002be10318}',
  Keyboard: '{4d36e96b-e325-11ce-bfc1-08002be10318}',
  Mouse: '{4d36e96f-e325-11ce-bfc1-08002be10318}',
  HIDClass: '{745a17a0-74d3-11d0-b6fe-00a0c90f57da}',
  Ports: '{4d36e978-e325-11ce-bfc1-08002be10318}',
  USB: '{36fc9e60-c465-11cf-8056-444553540000}',
  Volume: '{71a27cdd-812a-11d0-bec7-08002be2092f}',
}

/** The id of a device class; that of system devices where it is not known. */
export function classGuid(name: string): string {
  return classGuids[name] ?? '{4d36e97d-e325-11ce-bfc1-08002be10318}'
}

/** The devices that Plug and Play has found, in this guest's circumstances. */
export function makeDevices(persona: WindowsPersona, where: Circumstances): Device[] {
  const devices = new Map<string, Device>()
  for (const group of persona.devices) {
    if (!holds(group, where)) continue
    for (const entry of group.list) {
      devices.set(entry.id.toLowerCase(), {
        id: entry.id,
        name: entry.name,
        class: entry.class,
        classGuid: entry.classGuid ?? classGuid(entry.class),
        manufacturer: entry.manufacturer ?? null,
        service: entry.service ?? null,
        hardwareIds: entry.hardwareIds ?? [],
        compatibleIds: entry.compatibleIds ?? [],
        errorCode: entry.errorCode,
        status: entry.status ?? (entry.errorCode === 0 ? 'OK' : 'Error'),
        driver: entry.driver ?? null,
        role: entry.role,
      })
    }
  }
  for (const change of persona.deviceChanges) {
    for (const [key, device] of devices) {
      if (device.service?.toLowerCase() !== change.service.toLowerCase()) continue
      if (change.removed) {
        devices.delete(key)
        continue
      }
      const errorCode = change.errorCode ?? device.errorCode
      const said = Object.fromEntries(
        Object.entries(change.driver ?? {}).filter(([, value]) => value !== undefined),
      )
      devices.set(key, {
        ...device,
        errorCode,
        status: errorCode === 0 ? device.status : 'Error',
        driver: device.driver && { ...device.driver, ...said },
        service: change.replacedBy ?? device.service,
      })
    }
  }
  return [...devices.values()]
}
