import type { Family, Shell } from './model.js'

/** A product that guests run on. */
export interface HypervisorProduct {
  readonly id: string
  readonly title: string
}

/** A product that is certified as a guest. */
export interface GuestProduct {
  readonly id: string
  readonly title: string
  readonly family: Family
}

/** The hypervisors that pairings may name. `none` is a machine whose hypervisor is not looked at. */
export const hypervisorProducts: readonly HypervisorProduct[] = [
  { id: 'rhel-kvm', title: 'Red Hat Enterprise Linux with KVM' },
  { id: 'rhel-xen', title: 'Red Hat Enterprise Linux 5 with Xen' },
  { id: 'rhev', title: 'Red Hat Enterprise Virtualization' },
  { id: 'sles-kvm', title: 'SUSE Linux Enterprise Server with KVM' },
  { id: 'sles-xen', title: 'SUSE Linux Enterprise Server with Xen' },
  { id: 'debian-kvm', title: 'Debian with KVM' },
  { id: 'ubuntu-kvm', title: 'Ubuntu with KVM' },
  { id: 'qemu', title: 'QEMU, with KVM or software emulation' },
  { id: 'xen', title: 'Xen Project hypervisor' },
  { id: 'hyper-v', title: 'Windows Server with Hyper-V' },
  { id: 'hyper-v-server', title: 'Microsoft Hyper-V Server' },
  { id: 'esxi', title: 'VMware ESXi' },
  { id: 'vmware-workstation', title: 'VMware Workstation' },
  { id: 'xenserver', title: 'Citrix XenServer' },
  { id: 'xcp-ng', title: 'XCP-ng' },
  { id: 'none', title: 'A machine whose hypervisor is not looked at' },
]

/** The guests that pairings may name. */
export const guestProducts: readonly GuestProduct[] = [
  { id: 'rhel', title: 'Red Hat Enterprise Linux', family: 'linux' },
  { id: 'centos', title: 'CentOS', family: 'linux' },
  { id: 'rocky', title: 'Rocky Linux', family: 'linux' },
  { id: 'alma', title: 'AlmaLinux', family: 'linux' },
  { id: 'oracle-linux', title: 'Oracle Linux', family: 'linux' },
  { id: 'fedora', title: 'Fedora', family: 'linux' },
  { id: 'sles', title: 'SUSE Linux Enterprise Server', family: 'linux' },
  { id: 'opensuse', title: 'openSUSE', family: 'linux' },
  { id: 'debian', title: 'Debian', family: 'linux' },
  { id: 'ubuntu', title: 'Ubuntu', family: 'linux' },
  { id: 'linux', title: 'Another Linux', family: 'linux' },
  { id: 'windows-server', title: 'Windows Server', family: 'windows' },
]

/** The shell that a guest has unless the lab says otherwise; Windows before 2008 R2 brings no PowerShell. */
export function defaultShell(family: Family): Shell {
  return family === 'linux' ? 'posix' : 'cmd'
}
