import type { Hardware } from './hardware.js'

export type Accelerator = 'kvm' | 'tcg'

/** UEFI's code, shared and never written to, and the instance's own variables. */
export interface UefiFiles {
  readonly code: string
  readonly variables: string
}

/** All that decides how QEMU is started. Paths are absolute. */
export interface StartRequest {
  readonly name: string
  readonly hardware: Hardware
  readonly accelerator: Accelerator
  /** qcow2, the instance's own. */
  readonly overlay: string
  readonly uefi: UefiFiles | null
  /** Started directly; a disk with a boot loader of its own has none. */
  readonly direct: { readonly kernel: string; readonly initrd: string; readonly append: string } | null
  readonly console: string
  readonly qmpSocket: string
  readonly pidFile: string
}

/** The node names of the writable disks, which snapshots are made of. */
export const diskNode = 'disk0'
export const variablesNode = 'variables0'

/** The arguments of `qemu-system-x86_64`, for software versions from 6.0 on. */
export function qemuArguments(request: StartRequest): string[] {
  const { hardware, accelerator } = request
  return [
    ['-name', `guest=${escaped(request.name)}`],
    ['-no-user-config', '-nodefaults', '-display', 'none'],
    // A guest that breaks out of its device models can start nothing.
    ['-sandbox', 'on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny'],
    ['-machine', machineValue(request)],
    ['-accel', accelerator === 'kvm' ? 'kvm' : 'tcg,thread=multi'],
    ['-cpu', hardware.cpu ?? (accelerator === 'kvm' ? 'host' : 'max')],
    ['-smp', `cpus=${hardware.vcpus}`],
    ['-m', `${Math.ceil(hardware.memoryBytes / 1024)}K`],
    // The guest says that it panicked; it may still reboot or dump by itself.
    ['-device', 'pvpanic', '-action', 'panic=none'],
    ...uefiArguments(request.uefi),
    ['-blockdev', qcow2Node(diskNode, request.overlay)],
    ...hardware.diskDevices(diskNode).map(device => ['-device', device]),
    // The port is the kernel's choice, read back over QMP; a guest gets out to nowhere.
    ['-netdev', 'user,id=net0,restrict=on,hostfwd=tcp:127.0.0.1:0-:22'],
    ['-device', `${hardware.nicDevice},netdev=net0`],
    ['-device', 'virtio-rng-pci'],
    ['-chardev', `file,id=console,append=on,path=${escaped(request.console)}`, '-serial', 'chardev:console'],
    ['-chardev', `socket,id=qmp,path=${escaped(request.qmpSocket)}`],
    ['-mon', 'chardev=qmp,mode=control'],
    ['-pidfile', request.pidFile],
    ...directArguments(request),
  ].flat()
}

/** What the kernel is told: `{machineId}` becomes an id of the instance's own. */
export function kernelCommandLine(args: readonly string[], machineId: string): string {
  return args.map(argument => argument.replaceAll('{machineId}', machineId)).join(' ')
}

/** A file's path or a name inside a comma-separated option of QEMU. */
export function escaped(value: string): string {
  return value.replaceAll(',', ',,')
}

function machineValue({ hardware, uefi }: StartRequest): string {
  return uefi === null ? hardware.machine : `${hardware.machine},pflash0=uefi-code,pflash1=${variablesNode}`
}

function uefiArguments(uefi: UefiFiles | null): string[][] {
  if (uefi === null) {
    return []
  }
  const code = {
    driver: 'raw',
    'node-name': 'uefi-code',
    'read-only': true,
    file: { driver: 'file', filename: uefi.code },
  }
  return [
    ['-blockdev', JSON.stringify(code)],
    ['-blockdev', qcow2Node(variablesNode, uefi.variables)],
  ]
}

/** An instance's disk outlives no crash of the host, so nothing waits until it is on the platters. */
function qcow2Node(name: string, filename: string): string {
  const cache = { direct: false, 'no-flush': true }
  const file = { driver: 'file', filename, cache, discard: 'unmap' }
  return JSON.stringify({ driver: 'qcow2', 'node-name': name, cache, discard: 'unmap', file })
}

function directArguments({ direct }: StartRequest): string[][] {
  return direct === null
    ? []
    : [['-kernel', direct.kernel, '-initrd', direct.initrd, '-append', direct.append]]
}
