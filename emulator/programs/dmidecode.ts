import type { Program } from '../system/programs.js'
import { writeTo } from './io.js'
import { readOptions } from './options.js'
import { complain } from './streams.js'

/** Keywords of `dmidecode -s`, by the names of /sys/class/dmi/id. */
const keywords: Readonly<Record<string, string>> = {
  'bios-vendor': 'bios_vendor',
  'bios-version': 'bios_version',
  'bios-release-date': 'bios_date',
  'system-manufacturer': 'sys_vendor',
  'system-product-name': 'product_name',
  'system-version': 'product_version',
  'system-serial-number': 'product_serial',
  'system-uuid': 'product_uuid',
  'baseboard-manufacturer': 'board_vendor',
  'baseboard-product-name': 'board_name',
  'baseboard-version': 'board_version',
  'chassis-manufacturer': 'chassis_vendor',
  'chassis-type': 'chassis_type',
  'chassis-version': 'chassis_version',
}

/** The structures that are printed, by type. */
const structures: Readonly<Record<number, { title: string; fields: Readonly<Record<string, string>> }>> = {
  0: {
    title: 'BIOS Information',
    fields: { Vendor: 'bios_vendor', Version: 'bios_version', 'Release Date': 'bios_date' },
  },
  1: {
    title: 'System Information',
    fields: {
      Manufacturer: 'sys_vendor',
      'Product Name': 'product_name',
      Version: 'product_version',
      'Serial Number': 'product_serial',
      UUID: 'product_uuid',
      Family: 'product_family',
    },
  },
  3: { title: 'Chassis Information', fields: { Manufacturer: 'chassis_vendor', Version: 'chassis_version' } },
}

/** Reads the firmware's tables as root; a Xen PV guest has none. */
const dmidecode: Program = async call => {
  const options = readOptions(call.args, 's:t:qu', { string: 's', type: 't', quiet: 'q' })
  const { dmi } = call.system
  if (call.process.uid !== 0) return complain(call, '/dev/mem: Permission denied')
  const quiet = options.has('q') || options.has('s')
  if (!quiet) await writeTo(call.process, 1, '# dmidecode 2.12\n')
  if (!dmi) {
    await writeTo(call.process, 1, '# No SMBIOS nor DMI entry point found, sorry.\n')
    return 0
  }
  const keyword = options.value('s')
  if (keyword !== undefined) {
    const name = keywords[keyword]
    if (name === undefined) return complain(call, `Invalid string keyword: ${keyword}`).then(() => 2)
    await writeTo(call.process, 1, `${shown(dmi, name)}\n`)
    return 0
  }
  const wanted = options.value('t')
  const numbers: Readonly<Record<string, number>> = { bios: 0, system: 1, chassis: 3 }
  const only = wanted === undefined ? undefined : (numbers[wanted] ?? Number(wanted))
  for (const [type, { title, fields }] of Object.entries(structures)) {
    if (only !== undefined && only !== Number(type)) continue
    const lines = Object.entries(fields).map(([label, name]) => `\t${label}: ${shown(dmi, name)}\n`)
    await writeTo(
      call.process,
      1,
      `\nHandle 0x0${type}00, DMI type ${type}, 24 bytes\n${title}\n${lines.join('')}`,
    )
  }
  return 0
}

function shown(dmi: Readonly<Record<string, string>>, name: string): string {
  const value = dmi[name] ?? 'Not Specified'
  return name === 'product_uuid' ? value.toUpperCase() : value
}

const detectVirt: Program = async call => {
  const found = call.system.detectedVirtualization
  if (call.args.includes('-c') || call.args.includes('--container')) {
    await writeTo(call.process, 1, 'none\n')
    return 1
  }
  if (!call.args.includes('-q')) await writeTo(call.process, 1, `${found}\n`)
  return found === 'none' ? 1 : 0
}

/** Programs that say what the virtual hardware is. */
export const firmwarePrograms: Readonly<Record<string, Program>> = {
  dmidecode,
  'systemd-detect-virt': detectVirt,
}
