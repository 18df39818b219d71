import { posix } from 'node:path'
import type { WrittenPlacement } from '../../config/driver.js'
import { lazyDriver } from '../lazy-driver.js'
import type { DriverModule } from '../module.js'
import { serverRefusal } from './server-refusal.js'

/** VMware Workstation on a Linux host, driven with vmrun over SSH. Experimental: nobody has seen it on the product. */
export const vmrunModule: DriverModule = lazyDriver(
  {
    name: 'vmrun',
    title: 'VMware Workstation on Linux, with vmrun over SSH (experimental)',
    startsGuests: true,
    needsConnect: true,
    migrates: false,
    ownMachines: false,
    namesCleanStates: true,
    cleanStates: ['none', 'snapshot', 'overlay', 'copy'],
    products: [{ id: 'vmware-server', title: 'VMware Server' }],
    hostMistakes: ({ product }) => (product === 'vmware-server' ? [serverRefusal] : []),
    placementMistakes,
  },
  {
    import: () => import('./driver.js'),
    open: ({ createVmrunDriver }, { host, limits, manage }) => createVmrunDriver({ host, limits, manage }),
  },
)

function placementMistakes({ vm }: WrittenPlacement): readonly string[] {
  if (vm === undefined) {
    return ['the driver vmrun needs "vm": the configuration of the virtual machine on the host']
  }
  return posix.isAbsolute(vm) && posix.extname(vm) === '.vmx'
    ? []
    : [
        `vm: "${vm}" is a configuration on a Linux host: expected an absolute path, such as "/home/lab/vmware/rhel9/rhel9.vmx"`,
      ]
}
