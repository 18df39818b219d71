import { posix } from 'node:path'
import type { Hardware } from '../hardware/machine.js'
import type { LibvirtHostPersona, ManagedHostPersona } from '../persona/schema.js'
import type { ParsedHostSpec } from '../spec.js'
import type { Hypervisor } from './hypervisor.js'
import type { Installed } from './images.js'
import { placeConfig } from './xen/place.js'
import { placePoolVm } from './xenserver/place.js'
import type { Pool } from './xenserver/pool.js'
import { make, type Xml } from './xml.js'

/** Disks are as large as the emulated kernels say. */
const diskBytes = 8 * 1024 ** 3

type VmSpec = ParsedHostSpec['vms'][number]

/** Defines the virtual machines that stand on a host from the start, off, with their disks and snapshots. */
export function placeVms(
  hypervisor: Hypervisor,
  persona: ManagedHostPersona,
  spec: ParsedHostSpec,
  keys: ReadonlyMap<string, { readonly pem: string }>,
  pool?: Pool,
): void {
  const { images, tree } = hypervisor
  const { libvirt, xen } = persona
  const folder = libvirt?.images ?? xen?.images ?? '/var/lib/xen/images'
  const format = libvirt?.format ?? 'raw'
  for (const it of spec.vms) {
    const installed: Installed = {
      persona: it.guest.persona,
      personaFolders: spec.personaFolders,
      users: it.guest.users,
      hostKey: keys.get(it.name)?.pem ?? '',
      ...(it.guest.faults === undefined ? {} : { faults: it.guest.faults }),
    }
    if (pool) {
      placePoolVm(pool, hypervisor, it, installed)
      continue
    }
    const own = posix.join(folder, `${it.name}.${format === 'raw' ? 'img' : 'qcow2'}`)
    for (const file of new Set([own, ...it.images])) {
      const isRaw = !file.endsWith('.qcow2')
      const content = images.keep({ installed })
      images.write(tree, file, { format: isRaw ? 'raw' : 'qcow2', virtualBytes: diskBytes, content })
    }
    if (!libvirt) {
      placeConfig(tree, persona, it, own)
      continue
    }
    const vm = hypervisor.define(domainXml({ ...persona, libvirt }, it, own))
    for (const name of it.snapshots) hypervisor.snapshot(vm, name, undefined)
  }
  if (pool) return
  const folders = libvirt
    ? ['/var/log/libvirt/qemu', '/var/lib/libvirt/images']
    : ['/var/log/xen/console', '/var/lib/xen', folder]
  for (const each of folders) tree.directory(each)
}

/** As libvirt's drivers call the models of a configuration. */
const buses: Readonly<Record<string, readonly [bus: string, device: string]>> = {
  'virtio-blk': ['virtio', 'vda'],
  virtio: ['virtio', 'vda'],
  'virtio-scsi': ['scsi', 'sda'],
  scsi: ['scsi', 'sda'],
  sata: ['sata', 'sda'],
  xen: ['xen', 'xvda'],
  xvd: ['xen', 'xvda'],
  ide: ['ide', 'hda'],
}
const models: Readonly<Record<string, string>> = { 'virtio-net': 'virtio' }

function domainXml(persona: LibvirtHostPersona, { name, hardware }: VmSpec, image: string): Xml {
  const { libvirt, network } = persona
  const isXen = libvirt.uri === 'xen:///'
  const isPv = isXen && hardware.mode !== 'hvm'
  const [bus, device] = buses[hardware.disk ?? (isPv ? 'xen' : 'virtio')] ?? ['ide', 'hda']
  const kib = String(Math.round(hardware.memoryBytes / 1024))
  return make('domain', { type: isXen ? 'xen' : 'kvm' }, [
    make('name', {}, name),
    make('memory', { unit: 'KiB' }, kib),
    make('currentMemory', { unit: 'KiB' }, kib),
    make('vcpu', {}, String(hardware.vcpus)),
    isPv ? make('bootloader', {}, '/usr/bin/pygrub') : undefined,
    osXml(persona, hardware, isPv),
    make('on_poweroff', {}, 'destroy'),
    make('on_reboot', {}, 'restart'),
    make('on_crash', {}, 'destroy'),
    make('devices', {}, [
      libvirt.emulator === undefined || isPv ? undefined : make('emulator', {}, libvirt.emulator),
      make('disk', { type: 'file', device: 'disk' }, [
        make('driver', isXen ? { name: 'file' } : { name: 'qemu', type: libvirt.format }),
        make('source', { file: image }),
        make('target', { dev: device, bus }),
      ]),
      make('interface', { type: network.kind }, [
        make('source', { [network.kind]: network.name }),
        hardware.nic === undefined || isPv
          ? undefined
          : make('model', { type: models[hardware.nic] ?? hardware.nic }),
      ]),
      isPv ? undefined : make('serial', { type: 'pty' }, [make('target', { port: '0' })]),
      make('console', { type: 'pty' }, [make('target', { type: isPv ? 'xen' : 'serial', port: '0' })]),
    ]),
  ])
}

function osXml({ libvirt }: LibvirtHostPersona, { firmware, machine }: Hardware, isPv: boolean): Xml {
  if (isPv) return make('os', {}, [make('type', {}, 'linux')])
  const type = machine ?? libvirt.machineType
  return make('os', firmware === 'uefi' ? { firmware: 'efi' } : {}, [
    make('type', { arch: 'x86_64', ...(type === undefined ? {} : { machine: machineName(type) }) }, 'hvm'),
    make('boot', { dev: 'hd' }),
  ])
}

/** RHEL's QEMU names its machine types after itself. */
function machineName(type: string): string {
  return type === 'q35' ? 'pc-q35-rhel9.6.0' : type
}
