import { fromText } from '../../files/bytes.js'
import type { ManagedHostPersona } from '../../persona/schema.js'
import type { ParsedHostSpec } from '../../spec.js'
import { uuidFrom } from '../domain.js'
import type { Hypervisor } from '../hypervisor.js'
import type { Installed } from '../images.js'
import { make, type Xml } from '../xml.js'
import type { Pool } from './pool.js'

/** Disks are as large as the emulated kernels say. */
const diskBytes = 8 * 1024 ** 3

type VmSpec = ParsedHostSpec['vms'][number]

/** Makes a host a member of its pool, with its inventory. */
export function joinPool(
  pool: Pool,
  hypervisor: Hypervisor,
  { name, persona: personaName }: ParsedHostSpec,
  { xenserver }: ManagedHostPersona,
): void {
  const uuid = uuidFrom(`host ${personaName} ${name}`)
  pool.members.push({ uuid, name, hypervisor })
  const inventory = {
    PRODUCT_BRAND: xenserver?.brand ?? '',
    PRODUCT_VERSION: xenserver?.version ?? '',
    BUILD_NUMBER: xenserver?.build ?? '',
    INSTALLATION_UUID: uuid,
  }
  const lines = Object.entries(inventory).map(([key, value]) => `${key}='${value}'\n`)
  hypervisor.tree.install(fromText('/etc/xensource-inventory'), fromText(lines.join('')))
}

/** Defines a machine that stands in the pool from the start, halted, with its snapshots. */
export function placePoolVm(pool: Pool, hypervisor: Hypervisor, spec: VmSpec, installed: Installed): void {
  const vdi = uuidFrom(`vdi ${pool.srUuid} ${spec.name}`)
  const content = hypervisor.images.keep({ installed })
  const file = pool.fileOf(vdi)
  hypervisor.images.write(hypervisor.tree, file, { format: 'raw', virtualBytes: diskBytes, content })
  pool.disks.set(vdi, { name: `${spec.name} 0`, bytes: diskBytes, isSnapshot: false })
  const vm = hypervisor.define(machineXml(spec, file))
  const found = pool.list().find(each => each.vm === vm)
  for (const name of new Set(spec.snapshots)) {
    if (found) pool.keepSnapshot(found, pool.newUuid(), name)
  }
}

function machineXml({ name, hardware }: VmSpec, file: string): Xml {
  const isPv = hardware.mode !== 'hvm'
  const isXenDisk = isPv || /^xen/.test(hardware.disk ?? 'xen-blk')
  const kib = String(Math.round(hardware.memoryBytes / 1024))
  return make('domain', { type: 'xen' }, [
    make('name', {}, name),
    make('memory', { unit: 'KiB' }, kib),
    make('currentMemory', { unit: 'KiB' }, kib),
    make('vcpu', {}, String(hardware.vcpus)),
    isPv ? make('bootloader', {}, 'pygrub') : undefined,
    make('os', hardware.firmware === 'uefi' ? { firmware: 'efi' } : {}, [
      make('type', {}, isPv ? 'linux' : 'hvm'),
    ]),
    make('devices', {}, [
      diskXml(file, isXenDisk ? 'xvda' : 'hda', isXenDisk ? 'xen' : 'ide'),
      make('interface', { type: 'bridge' }, [
        make('source', { bridge: 'xenbr0' }),
        isPv || hardware.nic === undefined ? undefined : make('model', { type: hardware.nic }),
      ]),
    ]),
  ])
}

export function diskXml(file: string, target: string, bus = 'xen'): Xml {
  return make('disk', { type: 'file', device: 'disk' }, [
    make('driver', { name: 'qemu', type: 'raw' }),
    make('source', { file }),
    make('target', { dev: target, bus }),
  ])
}
