import { windowsTest } from 'guestcert/api'

const pattern = /^([0-9A-F]{8})-([0-9A-F]{4})-([0-9A-F]{4})-([0-9A-F]{4})-([0-9A-F]{12})$/i

/**
 * The UUID of SMBIOS, structure type 1. All zeros means that there is none, all ones that it is not set (DMTF DSP0134,
 * 7.2.1). Its first three fields are little-endian since SMBIOS 2.6, and some firmware writes them the other way: where
 * the driver tells the virtual machine's UUID, either order is it.
 */
export default windowsTest(async ({ guest, expect }) => {
  const [product] = await guest.wmi('Win32_ComputerSystemProduct', { get: ['UUID'] })
  const uuid = String(product?.UUID ?? '').toUpperCase()
  if (!expect(uuid).toMatch(pattern, 'the firmware gives a UUID')) return
  const digits = uuid.replaceAll('-', '')
  expect(digits).not.toMatch(/^0+$/, 'it is not all zeros')
  expect(digits).not.toMatch(/^F+$/, 'it is not all ones')
  const machine = guest.facts['vm.uuid']?.toUpperCase()
  if (machine !== undefined) {
    expect([uuid, swapped(uuid)]).toContain(machine, 'it is the virtual machine’s')
  }
})

/** With the bytes of the first three fields in the other order. */
function swapped(uuid: string): string {
  return uuid.replace(pattern, (_, a: string, b: string, c: string, d: string, e: string) =>
    [...[a, b, c].map(field => (field.match(/../g) ?? []).reverse().join('')), d, e].join('-'),
  )
}
