/** What xenconsoled writes down when it is started with `--log=guest`. */
export function consoleLog(domain: string): string {
  return `/var/log/xen/console/guest-${domain}.log`
}

/** What the xl says that waits for the domain's end. */
export function watcherLog(domain: string): string {
  return `/var/log/xen/xl-${domain}.log`
}

/** What the emulator of an HVM guest's devices says. */
export function emulatorLog(domain: string): string {
  return `/var/log/xen/qemu-dm-${domain}.log`
}
