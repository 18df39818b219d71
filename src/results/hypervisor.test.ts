import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import t from 'tap'
import { packageRoot } from '../config/package-root.js'
import type { Folded } from './folded.js'
import { runShell } from './shell-library.test.cases.js'

/** What a guest shows of what it runs on; what is absent is not shown. */
interface Shown {
  readonly dmi?: readonly [vendor: string, model: string]
  readonly pci?: readonly string[]
  readonly clocks?: string
  /** What the kernel's log says to be detected; `wrapped` when the log has forgotten its beginning. */
  readonly log?: string
  readonly wrapped?: true
  readonly cpuid?: string
  readonly xen?: true
}

/** Runs the shipped script on a machine that shows this, with all that it reads put under a folder. */
async function judge(product: string, shown: Shown): Promise<Folded> {
  const root = t.testdir({})
  const write = async (path: string, text: string): Promise<void> => {
    await mkdir(dirname(join(root, path)), { recursive: true })
    await writeFile(join(root, path), `${text}\n`)
  }
  const command = async (name: string, text: string): Promise<void> => {
    await write(`bin/${name}`, `#!/bin/sh\ncat <<'EOT'\n${text}\nEOT`)
    await chmod(join(root, 'bin', name), 0o755)
  }
  const [vendor, model] = shown.dmi ?? []
  if (vendor !== undefined) await write('sys/class/dmi/id/sys_vendor', vendor)
  if (model !== undefined) await write('sys/class/dmi/id/product_name', model)
  for (const [index, id] of (shown.pci ?? []).entries())
    await write(`sys/bus/pci/devices/${index}/vendor`, id)
  await write(
    'sys/devices/system/clocksource/clocksource0/available_clocksource',
    shown.clocks ?? 'tsc acpi_pm',
  )
  if (shown.xen === true) await write('sys/hypervisor/type', 'xen')
  await write('proc/cpuinfo', 'flags\t\t: fpu hypervisor lahf_lm')
  const log = [
    ...(shown.wrapped === true ? [] : ['[    0.000000] Linux version 6.1.0 (builder) #1 SMP']),
    ...(shown.log === undefined ? [] : [`[    0.000000] Hypervisor detected: ${shown.log}`]),
    '[    1.000000] usb: new device',
  ]
  await command('dmesg', log.join('\n'))
  await command(
    'lscpu',
    shown.cpuid === undefined ? 'Architecture: x86_64' : `Hypervisor vendor:   ${shown.cpuid}`,
  )
  await write('bin/uname', '#!/bin/sh\ncase $1 in -r) echo 6.1.0 ;; -m) echo x86_64 ;; esac')
  await chmod(join(root, 'bin/uname'), 0o755)
  await command('dmidecode', '')
  const script = await readFile(join(packageRoot, 'suites/core/hypervisor.sh'), 'utf8')
  await write('hypervisor.sh', script.replaceAll(/(?<![\w.])\/(sys|proc)\//g, `${root}/$1/`))
  return runShell(['/bin/sh', join(root, 'hypervisor.sh')], {
    GC_HYPERVISOR_PRODUCT: product,
    PATH: `${root}/bin:${process.env.PATH ?? ''}`,
  })
}

const kvm: Shown = {
  dmi: ['QEMU', 'Standard PC (Q35 + ICH9, 2009)'],
  pci: ['0x8086', '0x1af4', '0x1b36'],
  clocks: 'kvm-clock tsc acpi_pm',
  log: 'KVM',
  cpuid: 'KVM',
}
const vmware: Shown = {
  dmi: ['VMware, Inc.', 'VMware Virtual Platform'],
  pci: ['0x8086', '0x15ad'],
  log: 'VMware',
  cpuid: 'VMware',
}
const hyperV: Shown = {
  dmi: ['Microsoft Corporation', 'Virtual Machine'],
  clocks: 'hyperv_clocksource_tsc_page acpi_pm',
  log: 'Microsoft Hyper-V',
  cpuid: 'Microsoft',
}
const xen: Shown = {
  dmi: ['Xen', 'HVM domU'],
  pci: ['0x8086', '0x5853'],
  clocks: 'xen tsc acpi_pm',
  log: 'Xen HVM',
  cpuid: 'Xen',
  xen: true,
}
const dell = ['Dell Inc.', 'PowerEdge R640'] as const

const sound: readonly [what: string, product: string, shown: Shown][] = [
  ['KVM', 'rhel-kvm', kvm],
  ['KVM with the SMBIOS of its host', 'rhel-kvm', { ...kvm, dmi: dell }],
  ['KVM in a cloud', 'rhel-kvm', { ...kvm, dmi: ['OpenStack Foundation', 'OpenStack Nova'] }],
  [
    'KVM with the SMBIOS of a host that runs on VMware',
    'rhel-kvm',
    { ...kvm, dmi: ['VMware, Inc.', 'VMware7,1'] },
  ],
  ['KVM with a display of VMware', 'rhel-kvm', { ...kvm, pci: ['0x1af4', '0x15ad'] }],
  ['KVM with emulated devices alone', 'rhel-kvm', { ...kvm, dmi: dell, pci: ['0x8086'] }],
  [
    'KVM with the enlightenments of Hyper-V',
    'rhel-kvm',
    { ...kvm, clocks: 'hyperv_clocksource_tsc_page', log: 'Microsoft Hyper-V', cpuid: 'Microsoft' },
  ],
  [
    'KVM with these and the SMBIOS of its host',
    'rhel-kvm',
    {
      ...kvm,
      dmi: dell,
      clocks: 'hyperv_clocksource_tsc_page',
      log: 'Microsoft Hyper-V',
      cpuid: 'Microsoft',
    },
  ],
  ['KVM that shows a clock alone', 'rhel-kvm', { clocks: 'kvm-clock tsc' }],
  ['KVM without its clock, by CPUID', 'rhel-kvm', { ...kvm, clocks: 'tsc', log: '', wrapped: true }],
  ['VMware', 'esxi', vmware],
  ['VMware with another name', 'esxi', { ...vmware, dmi: ['Example', 'Example'] }],
  ['Hyper-V', 'hyper-v', hyperV],
  ['Hyper-V with another name', 'hyper-v', { ...hyperV, dmi: ['Example', 'Example'] }],
  ['Xen', 'xen', xen],
  ['Xen with the SMBIOS of its host', 'xen', { ...xen, dmi: dell }],
  ['Xen with the enlightenments of Hyper-V', 'xen', { ...xen, cpuid: 'Microsoft', log: 'Microsoft Hyper-V' }],
]

t.test('a sound guest passes, whatever its firmware is made to say', async t => {
  for (const [what, product, shown] of sound) {
    const { verdict, reason } = await judge(product, shown)
    t.equal(verdict, 'pass', `${what}${reason && `: ${reason}`}`)
  }
})

t.test('a guest of another hypervisor fails', async t => {
  const all = { 'rhel-kvm': kvm, esxi: vmware, 'hyper-v': hyperV, xen }
  for (const [declared, own] of Object.entries(all)) {
    for (const [product, shown] of Object.entries(all)) {
      if (shown === own) continue
      const { verdict, reason } = await judge(declared, shown)
      t.equal(verdict, 'fail', `${declared} is declared, ${product} runs it`)
      t.match(reason, /the hypervisor is the one that the lab declares/)
      t.equal(
        (await judge(declared, { ...shown, dmi: dell })).verdict,
        'fail',
        `${product} with the name of its host`,
      )
    }
  }
  const enlightened = { ...kvm, dmi: dell, clocks: 'hyperv_clocksource_tsc_page', log: 'Microsoft Hyper-V' }
  t.equal((await judge('hyper-v', enlightened)).verdict, 'fail', 'KVM with enlightenments is not a Hyper-V')
})

t.test('a text that is not known is not a witness, and no witness is not a pass', async t => {
  t.match(await judge('rhel-kvm', { dmi: dell, pci: ['0x8086'] }), {
    verdict: 'skip',
    reason: /nothing in the guest/,
  })
  t.match(await judge('rhel-kvm', {}), { verdict: 'skip' })
})

t.test('software emulation is not a KVM', async t => {
  const emulated = { dmi: kvm.dmi ?? dell, pci: kvm.pci ?? [], clocks: 'tsc acpi_pm' }
  t.match(await judge('rhel-kvm', emulated), { verdict: 'fail', reason: /software emulation/ })
  t.match(await judge('qemu', emulated), { verdict: 'pass' })
  const unknown = await judge('rhel-kvm', { ...emulated, wrapped: true })
  t.match(unknown, { verdict: 'error', reason: /log of the boot is gone/ }, 'what nothing tells is neither')
})
