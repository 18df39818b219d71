import { windowsTest } from 'guestcert/api'

/** NetConnectionStatus of a card that is connected. */
const connected = 2

/** The services of the drivers, by the card models that labs name. */
const drivers: Readonly<Record<string, RegExp>> = {
  virtio: /^netkvm/i,
  'virtio-net': /^netkvm/i,
  e1000: /^(e1|E1G|e1000)/i,
  e1000e: /^(e1|e1000)/i,
  rtl8139: /^(rtl|8139)/i,
  synthetic: /^netvsc/i,
  legacy: /^(dc21x4|DC21)/i,
  vmxnet3: /^vmxnet3/i,
  xen: /^(xennet|xenvif|rhelnet)/i,
  'xen-vif': /^(xennet|xenvif|rhelnet)/i,
}

/**
 * A card that is connected, and the driver that serves it (Win32_NetworkAdapter.ServiceName). kdnic is the kernel
 * debugger's: Windows binds it when a card's own driver is not there.
 */
export default windowsTest(async ({ guest, environment, expect }) => {
  const adapters = await guest.wmi('Win32_NetworkAdapter', {
    get: ['MACAddress', 'Name', 'NetConnectionStatus', 'PNPDeviceID', 'ServiceName'],
    where: 'MACAddress IS NOT NULL',
  })
  const used = adapters.filter(({ NetConnectionStatus }) => NetConnectionStatus === connected)
  if (!expect(used.length).toBeGreaterThan(0, 'a network card is connected')) return
  const services = used.map(({ ServiceName }) => String(ServiceName ?? ''))
  expect(services.filter(service => /^kdnic$/i.test(service))).toEqual(
    [],
    'none is on the kernel debugger’s driver',
  )
  expect(services.filter(service => service === '')).toEqual([], 'each has a driver')
  const wanted = drivers[String(environment.configuration.nic)]
  if (wanted !== undefined) {
    expect(services.some(service => wanted.test(service))).toBe(
      true,
      `a card works with the driver of ${environment.configuration.nic} (${services.join(', ')})`,
    )
  }
})
