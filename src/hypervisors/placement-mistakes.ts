import type { WrittenPlacement } from '../config/driver.js'

/** What every driver of named virtual machines expects of a placement: the machine, and absolute paths of disks. */
export function virtualMachineMistakes(driver: string, { vm, clean }: WrittenPlacement): readonly string[] {
  const path = diskPath(clean)
  return [
    ...(vm === undefined
      ? [`the driver ${driver} needs "vm": the name of the virtual machine on the host`]
      : []),
    ...(path === null || path.startsWith('/')
      ? []
      : [
          `clean: "${path}" is a path on the host: expected an absolute path, such as "/var/lib/libvirt/images/clean.qcow2"`,
        ]),
  ]
}

function diskPath(clean: WrittenPlacement['clean']): string | null {
  if (typeof clean !== 'object') {
    return null
  }
  return 'overlay' in clean ? clean.overlay : 'copy' in clean ? clean.copy : null
}
