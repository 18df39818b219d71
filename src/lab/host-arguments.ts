import type { Endpoint } from '../config/model.js'
import type { BuiltImage } from '../hypervisors/shared/image.js'

export const hostProgram = 'qemu-system-x86_64'

/** What a made host is given. */
const memoryMiB = 3072
/** dom0's share; the rest is for guests. A fixed size: ballooning costs minutes in software emulation. */
const dom0MiB = 1536

export interface HostStart {
  readonly name: string
  readonly image: BuiltImage
  /** qcow2, thrown away when the host goes down. */
  readonly overlay: string
  readonly console: string
  /** Where its port 22 is to be reached, on loopback. */
  readonly endpoint: Endpoint
}

/**
 * The arguments of QEMU for a host that is itself emulated. Xen's dom0 crashes on the CPU model `max`, and on one that
 * offers AMD's virtualization; with one CPU it boots fastest.
 */
export function hostArguments({ name, image, overlay, console, endpoint }: HostStart): string[] {
  const { hypervisor, kernel, initrd, manifest } = image
  const kernelArguments = manifest.kernelArguments.filter(argument => !argument.includes('{')).join(' ')
  const boot =
    hypervisor === undefined
      ? ['-kernel', kernel, '-initrd', initrd, '-append', kernelArguments]
      : [
          ...['-kernel', hypervisor],
          ...['-append', `dom0_mem=${dom0MiB}M,max:${dom0MiB}M com1=115200,8n1 console=com1`],
          // Modules of a multiboot kernel: the first word is the file, the rest its command line.
          ...['-initrd', `${escaped(kernel)} ${escaped(kernelArguments)},${escaped(initrd)}`],
        ]
  return [
    ...['-name', `guest=${escaped(`guestcert-${name}`)}`],
    ...['-no-user-config', '-nodefaults', '-display', 'none'],
    ...['-sandbox', 'on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny'],
    ...['-machine', 'pc', '-accel', 'tcg,thread=multi', '-cpu', 'qemu64,-svm', '-smp', '1'],
    ...['-m', String(memoryMiB)],
    ...['-drive', `file=${escaped(overlay)},if=virtio,format=qcow2,cache=unsafe,discard=unmap`],
    ...['-netdev', `user,id=net0,restrict=on,hostfwd=tcp:${endpoint.host}:${endpoint.port}-:22`],
    ...['-device', 'virtio-net-pci,netdev=net0', '-device', 'virtio-rng-pci'],
    ...['-chardev', `file,id=console,path=${escaped(console)}`, '-serial', 'chardev:console'],
    ...boot,
  ]
}

/** A value inside a comma-separated option of QEMU. */
function escaped(value: string): string {
  return value.replaceAll(',', ',,')
}
