import type { Configuration } from '../../config/model.js'
import { fieldOf, numberOf, parseMap, type XeRecord } from './output.js'

/** The fields that say how a machine is made. */
export const declaredFields =
  'params=uuid,name-label,is-a-template,VCPUs-max,VCPUs-at-startup,memory-static-max,HVM-boot-policy,HVM-boot-params'

/** How a guest is virtualized: without a boot policy it is paravirtual. */
export function modeOf(record: XeRecord): 'pv' | 'hvm' {
  return fieldOf(record, 'HVM-boot-policy').trim() === '' ? 'pv' : 'hvm'
}

/** What a machine is made with, as facts. */
export function factsOf(record: XeRecord): Record<string, string> {
  return {
    vm: fieldOf(record, 'name-label'),
    'vm mode': modeOf(record),
    'vm vcpus': fieldOf(record, 'VCPUs-at-startup'),
    'vm memory': `${(numberOf(record, 'memory-static-max') ?? 0) / 2 ** 20} MiB`,
  }
}

/** How a machine differs from the configuration that the lab declares for it: what is certified must be what ran. */
export function differences(record: XeRecord, declared: Configuration): string[] {
  const found: string[] = []
  const compare = (what: string, wanted: string | number | undefined, real: string | number | null): void => {
    if (wanted !== undefined && wanted !== real) {
      found.push(`${what} is ${real}, not ${wanted}`)
    }
  }
  const { memoryBytes } = declared
  compare('mode', declared.mode, modeOf(record))
  compare('vcpus', declared.vcpus, numberOf(record, 'VCPUs-at-startup'))
  compare(
    'memory in MiB',
    memoryBytes === undefined ? undefined : memoryBytes / 2 ** 20,
    (numberOf(record, 'memory-static-max') ?? 0) / 2 ** 20,
  )
  if (modeOf(record) === 'hvm') {
    const firmware = parseMap(fieldOf(record, 'HVM-boot-params')).get('firmware') ?? 'bios'
    compare('firmware', declared.firmware, firmware)
  } else if (declared.firmware !== undefined) {
    found.push(`a paravirtual guest has no firmware, not ${declared.firmware}`)
  }
  return found
}
