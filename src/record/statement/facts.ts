/** Facts that say what a guest is. Names, addresses, identifiers and build hosts are none of them: a record is forever. */
const guestNames: readonly string[] = [
  'emulated',
  'os',
  'os.id',
  'os.release',
  'os.version',
  'os.servicepack',
  'os.architecture',
  'os.ver',
  'release',
  'kernel',
  'memory',
  'dmi.vendor',
  'dmi.product',
  'dmi.bios',
  'clocksource',
  'tainted',
  'shell.powershell',
]

/** Facts that say what a virtual machine is, as its host showed it. */
const machineNames: readonly string[] = [
  'accelerator',
  'kvm enabled',
  'machine',
  'vm vcpus',
  'vm memory',
  'vm cpu',
  'firmware',
  'disk',
  'nic',
  'image digest',
  'image recipe',
  'hypervisor',
  'libvirt version',
  'qemu version',
  'generation',
  'tools',
]

/** Facts that say what a host is. */
const hostNames: readonly string[] = [
  'emulated',
  'product',
  'version',
  'build',
  'host product',
  'host kernel',
  'host arch',
  'host cpu',
  'host cpu vendor',
  'host firmware',
  'libvirt version',
  'hypervisor',
  'domain types',
  'qemu version',
  'xen version',
  'toolstack',
  'xen capabilities',
]

type Facts = Readonly<Record<string, string>>

/** What may be recorded of an instance's facts. */
export function guestFacts(facts: Facts): Facts {
  return only(facts, [...guestNames, ...machineNames])
}

/** What may be recorded of a host's facts. */
export function hostFacts(facts: Facts): Facts {
  return only(facts, hostNames)
}

function only(facts: Facts, names: readonly string[]): Facts {
  return Object.fromEntries(
    names.flatMap(name => {
      const value = facts[name]
      return value === undefined ? [] : [[name, value]]
    }),
  )
}

/** Facts of several machines as one: what they share, and the names of those in which they differ. */
export function common(all: readonly Facts[]): {
  readonly facts: Facts
  readonly varying: readonly string[]
} {
  const names = [...new Set(all.flatMap(facts => Object.keys(facts)))].sort()
  const differs = (name: string): boolean => new Set(all.map(facts => facts[name])).size > 1
  return {
    facts: Object.fromEntries(names.filter(name => !differs(name)).map(name => [name, all[0]?.[name] ?? ''])),
    varying: names.filter(differs),
  }
}
