import type { Configuration } from '../../config/model.js'
import { firmwareOf, memoryKib, nics, writableDisks } from './domain.js'
import { childrenOf, find, textAt, type XmlElement } from './xml.js'

/** Names that the lab and libvirt have for the same models. */
const nicModels: Readonly<Record<string, string>> = { virtio: 'virtio-net' }
const busModels: Readonly<Record<string, string>> = { virtio: 'virtio-blk' }

/**
 * How a domain differs from the configuration that the lab declares for it, a line each: what is certified
 * must be what ran. What libvirt does not tell (a card given to QEMU directly) is not compared.
 */
export function differences(domain: XmlElement, declared: Configuration): string[] {
  const found: string[] = []
  const compare = (what: string, wanted: string | undefined, real: string | undefined): void => {
    if (wanted !== undefined && real !== undefined && wanted !== real) {
      found.push(`${what} is ${real}, not ${wanted}`)
    }
  }
  const vcpu = find(domain, 'vcpu')
  compare('vcpus', text(declared.vcpus), vcpu?.attributes.current ?? textAt(domain, 'vcpu'))
  const kib = memoryKib(domain)
  compare('memory in KiB', text(inKib(declared.memoryBytes)), kib === null ? undefined : String(kib))
  compare('firmware', declared.firmware, firmwareOf(domain))
  compare('disk', declared.disk, diskModel(domain))
  compare('nic', declared.nic, nicModel(domain))
  const machine = find(domain, 'os', 'type')?.attributes.machine
  // libvirt makes `pc-q35-7.2` of `q35`, `pc-i440fx-7.2` of `pc`.
  if (declared.machine !== undefined && machine !== undefined && !isMachine(machine, declared.machine)) {
    found.push(`machine is ${machine}, not ${declared.machine}`)
  }
  return found
}

function diskModel(domain: XmlElement): string | undefined {
  const [disk] = writableDisks(domain)
  if (disk === undefined) {
    return undefined
  }
  if (disk.bus === 'scsi') {
    const controllers = childrenOf(find(domain, 'devices'), 'controller')
    return controllers.find(({ attributes }) => attributes.type === 'scsi')?.attributes.model ?? 'scsi'
  }
  return busModels[disk.bus] ?? disk.bus
}

function nicModel(domain: XmlElement): string | undefined {
  const model = find(nics(domain)[0], 'model')?.attributes.type
  return model === undefined ? undefined : (nicModels[model] ?? model)
}

function isMachine(real: string, declared: string): boolean {
  const families: Readonly<Record<string, string>> = { pc: 'pc-i440fx', i440fx: 'pc-i440fx', q35: 'pc-q35' }
  return real === declared || real.startsWith(`${families[declared] ?? declared}-`)
}

function inKib(bytes: number | undefined): number | undefined {
  return bytes === undefined ? undefined : bytes / 1024
}

function text(value: number | undefined): string | undefined {
  return value === undefined ? undefined : String(value)
}
