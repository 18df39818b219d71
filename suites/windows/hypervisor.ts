import { windowsTest } from 'guestcert/api'

const qemu = /QEMU|Red Hat|KVM|oVirt|Bochs/i
/** RHEL's Xen names its vendor where others name the project. */
const xen = /^(Xen|Red Hat) HVM domU$/i
const microsoft = /^Microsoft Corporation Virtual Machine$/i
const vmware = /VMware/i

/** What SMBIOS says of the machine under each product: manufacturer and model. */
const machines: Readonly<Record<string, RegExp>> = {
  'rhel-kvm': qemu,
  rhev: qemu,
  'sles-kvm': qemu,
  'debian-kvm': qemu,
  'ubuntu-kvm': qemu,
  qemu,
  'rhel-xen': xen,
  'sles-xen': xen,
  xen,
  xenserver: xen,
  'xcp-ng': xen,
  'hyper-v': microsoft,
  'hyper-v-server': microsoft,
  esxi: vmware,
  'vmware-workstation': vmware,
}

/** The firmware tells the machine's maker. Windows from 2012 on also says whether CPUID has the hypervisor bit. */
export default windowsTest(async ({ guest, environment, expect, skip }) => {
  const wanted = machines[environment.hypervisor.product]
  if (wanted === undefined) skip(`what guests see of ${environment.hypervisor.product} is not known`)
  const [computer] = await guest.wmi('Win32_ComputerSystem', {
    get: ['HypervisorPresent', 'Manufacturer', 'Model'],
  })
  const machine = `${String(computer?.Manufacturer)} ${String(computer?.Model)}`
  expect(machine).toMatch(wanted ?? /^$/, `the machine is one of ${environment.hypervisor.product}`)
  if (computer?.HypervisorPresent !== null) {
    expect(computer?.HypervisorPresent).toBe(true, 'Windows sees a hypervisor')
  }
})
