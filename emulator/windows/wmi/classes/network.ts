import type { Device } from '../../store/devices.js'
import { pluggedNics } from '../../store/plugged.js'
import { compareNt } from '../../system/nt.js'
import type { WindowsSystem } from '../../system/system.js'
import { bootedMs } from '../../system/system.js'
import { CimDate, type Row } from '../values.js'

/** The address that the emulated network gives its guest. */
export const address = {
  ip: '192.168.122.50',
  mask: '255.255.255.0',
  gateway: '192.168.122.1',
  dns: '192.168.122.1',
} as const

/** The card's address as Windows writes it. */
export function macOf({ machine }: WindowsSystem): string {
  return machine.macAddress.toUpperCase()
}

/** The name of a connection: 2012 was the first to call it by its kind. */
export function connectionName({ where }: WindowsSystem): string {
  return compareNt(where.nt, '6.2') >= 0 ? 'Ethernet' : 'Local Area Connection'
}

/** The network cards that it was started with. */
export function networkCards(system: WindowsSystem): readonly Device[] {
  return system.foundAtBoot.filter(device => device.role === 'nic')
}

/** A card with what it says of itself. */
interface Card {
  readonly device: Device
  readonly mac: string
  readonly connection: string
  readonly guid: string
  readonly interfaceIndex: number
}

/** All cards: those that it was started with, and those that were added while it ran, served by the same driver. */
function allCards(system: WindowsSystem): Card[] {
  const own = networkCards(system)
  const first = own.map(device => ({
    device,
    mac: macOf(system),
    connection: connectionName(system),
    guid: '{6F2E9C5B-54E8-4D3C-9B7A-2C1F0D3E5A61}',
    interfaceIndex: 11,
  }))
  const added = pluggedNics(own, system.machine.live).map(({ device, nic }, place) => ({
    device,
    mac: nic.mac.toUpperCase(),
    connection: `${connectionName(system)} ${place + 2}`,
    guid: `{6F2E9C5B-54E8-4D3C-9B7A-2C1F0D3E5A${(0x62 + place).toString(16).toUpperCase()}}`,
    interfaceIndex: 12 + place,
  }))
  return [...first, ...added]
}

function adapters(system: WindowsSystem): readonly Row[] {
  const { computerName, zone } = system
  const reset = new CimDate(bootedMs(system), zone)
  const first = compareNt(system.where.nt, '6.0') >= 0 ? 7 : 1
  return allCards(system).map(({ device: card, mac, connection, guid, interfaceIndex }, position) => {
    const index = first + position
    const works = card.errorCode === 0
    return {
      AdapterType: 'Ethernet 802.3',
      AdapterTypeId: 0,
      Availability: 3,
      Caption: `[${String(index).padStart(8, '0')}] ${card.name}`,
      ConfigManagerErrorCode: card.errorCode,
      CreationClassName: 'Win32_NetworkAdapter',
      Description: card.name,
      DeviceID: String(index),
      GUID: guid,
      Index: index,
      Installed: true,
      InterfaceIndex: interfaceIndex,
      MACAddress: works ? mac : null,
      Manufacturer: card.manufacturer,
      MaxNumberControlled: 0,
      Name: card.name,
      NetConnectionID: connection,
      NetConnectionStatus: works ? 2 : 4,
      NetEnabled: works,
      PhysicalAdapter: true,
      PNPDeviceID: card.id,
      ProductName: card.name,
      ServiceName: card.service,
      Speed: 10_000_000_000,
      Status: null,
      SystemName: computerName,
      TimeOfLastReset: reset,
    }
  })
}

function configurations(system: WindowsSystem): readonly Row[] {
  const obtained = bootedMs(system)
  const first = compareNt(system.where.nt, '6.0') >= 0 ? 7 : 1
  return allCards(system).map(({ device: card, mac, guid, interfaceIndex }, position) => ({
    Caption: `[${String(first + position).padStart(8, '0')}] ${card.name}`,
    // An added card has an address of the same network once its DHCP server has given it one.
    DefaultIPGateway: position === 0 ? [address.gateway] : null,
    Description: card.name,
    DHCPEnabled: true,
    DHCPLeaseExpires: new CimDate(obtained + 3_600_000, system.zone, 0),
    DHCPLeaseObtained: new CimDate(obtained, system.zone, 0),
    DHCPServer: address.gateway,
    DNSHostName: system.computerName.toLowerCase(),
    DNSServerSearchOrder: [address.dns],
    Index: first + position,
    InterfaceIndex: interfaceIndex,
    IPAddress: [position === 0 ? address.ip : address.ip.replace(/\d+$/, String(150 + position))],
    IPConnectionMetric: 10,
    IPEnabled: card.errorCode === 0,
    IPSubnet: [address.mask],
    MACAddress: mac,
    ServiceName: card.service,
    SettingID: guid,
  }))
}

/** Network cards and their configurations. */
export const networkProviders: Readonly<Record<string, (system: WindowsSystem) => readonly Row[]>> = {
  Win32_NetworkAdapter: adapters,
  Win32_NetworkAdapterConfiguration: configurations,
  MSFT_NetAdapter: system =>
    allCards(system).map(({ device: card, mac, connection, guid, interfaceIndex }) => ({
      ComponentID: card.hardwareIds[0] ?? null,
      DeviceID: guid,
      DriverDescription: card.name,
      DriverFileName: `${card.service ?? ''}.sys`,
      DriverProvider: card.driver?.provider ?? null,
      DriverVersionString: card.driver?.version ?? null,
      InterfaceDescription: card.name,
      InterfaceIndex: interfaceIndex,
      InterfaceOperationalStatus: card.errorCode === 0 ? 1 : 2,
      MediaConnectState: 1,
      Name: connection,
      PermanentAddress: mac.replaceAll(':', ''),
      PnPDeviceID: card.id,
      Speed: 10_000_000_000,
      Virtual: false,
    })),
}
