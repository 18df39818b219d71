/** The page of a class or method of `root\virtualization`, as Windows Server 2008 and 2008 R2 have it. */
export function wmiV1(name: string): string {
  return `https://learn.microsoft.com/en-us/previous-versions/windows/desktop/virtual/${name.toLowerCase().replaceAll('_', '-')}`
}

/** A driver for the same hosts that was in use: the calls, their order, and which results they have. */
export const nova = 'https://github.com/openstack/nova (2014.2, nova/virt/hyperv/vmutils.py)'
