import { secretDmi } from './catalogue.js'
import { commandsOf, filesOf, programsOf, shellOf, storageOf } from './files.js'
import { kernelSections } from './kernel.js'
import { readLog } from './kernel-log.js'
import { linesOf, textOf, wordOf } from './probe.js'
import { readProcesses } from './processes.js'
import type { SshFacts } from './ssh.js'
import { captured, cpuFields, type Fact, hypervisorOf, pairsOf, type Subject, seenWith } from './subject.js'

/** A persona file's content, section by section in the order in which people read it. */
export type PersonaContent = Readonly<Record<string, unknown>>

/** What every Linux guest has; all that a capture sees is said again in its own words. */
const base = 'linux'

/** The guest, without what its hypervisor gives it. */
export function guestPersona(name: string, subject: Subject, ssh: SshFacts): PersonaContent {
  const { guest, answers, scrub } = subject
  const { anywhere, here } = readLog(textOf(answers, 'log'), wordOf(answers, 'proc-version'), scrub)
  const pretty = /^PRETTY_NAME="?([^"\n]{1,100})"?$/m.exec(textOf(answers, 'file /etc/os-release'))?.[1]
  const arch = wordOf(answers, 'uname-m')
  const modules = modulesOf(subject)
  const processes = readProcesses(answers, scrub)
  return {
    persona: name,
    kind: 'guest',
    title: `${pretty ?? `${guest.product} ${guest.version}`}, ${arch}`,
    extends: base,
    family: 'linux',
    product: guest.product,
    version: guest.version,
    arch,
    shell: shellOf(subject),
    init: captured({ kind: linesOf(answers, 'there').includes('/run/systemd/system') ? 'systemd' : 'sysv' }),
    ssh: ssh.fact,
    ...kernelSections(subject),
    storage: storageOf(subject),
    // Nobody is made to wait as long as a real guest takes; see the head of the file for that.
    timing: { from: 'assumed', bootMs: 400, shutdownMs: 100 },
    files: filesOf(subject),
    commands: commandsOf(subject),
    ...programsOf(subject),
    log: [
      ...(anywhere.length === 0 ? [] : [captured({ lines: anywhere })]),
      ...(here.length === 0 ? [] : [captured({ ...seenWith(subject), lines: here })]),
    ],
    modules: Object.keys(modules).length === 0 ? [] : [captured({ ...seenWith(subject), names: modules })],
    processes: processes.length === 0 ? [] : [captured({ list: processes })],
  }
}

function modulesOf({ answers }: Subject): Record<string, number> {
  const pairs = linesOf(answers, 'modules').flatMap(line => {
    const [, name = '', bytes = ''] = /^([\w-]{1,64}) (\d{1,12}) /.exec(line) ?? []
    return name === '' ? [] : [[name, Number(bytes)] as const]
  })
  return Object.fromEntries(pairs)
}

/** The hypervisor, as this guest saw it. */
export function hostPersona(name: string, subject: Subject): PersonaContent {
  const { host, answers, scrub } = subject
  const dmi = pairsOf(answers, 'dmi').flatMap(([key, value]) =>
    value === null || secretDmi.test(key) ? [] : [[key, scrub(value)] as const],
  )
  return {
    persona: name,
    kind: 'host',
    title: `${host.product} ${host.version}, as its guests see it`,
    hypervisor: hypervisorFact(subject),
    ...(dmi.length === 0 ? {} : { dmi: captured({ values: Object.fromEntries(dmi) }) }),
    cpu: cpuFact(subject),
  }
}

function hypervisorFact(subject: Subject): Fact {
  const { host, answers } = subject
  const directory = new Map(pairsOf(answers, 'hypervisor'))
  const version = pairsOf(answers, 'hypervisor-version').map(
    ([key, value]) => [`version/${key}`, value ?? ''] as const,
  )
  const told = [...directory]
    .filter(([key, value]) => value !== null && key !== 'uuid')
    .map(([key, value]) => [key, value ?? ''] as const)
  return captured({
    id: hypervisorOf(subject),
    product: host.product,
    version: host.version,
    mode: directory.get('guest_type') === 'PV' ? 'pv' : 'hvm',
    vendor: /^Hypervisor vendor: *(\S.*)$/m.exec(textOf(answers, 'lscpu'))?.[1]?.trim() ?? 'none',
    cpuFlag: cpuFlags(subject).includes('hypervisor'),
    clocksources: wordOf(answers, 'clocksources').split(' ').filter(Boolean),
    directory: Object.fromEntries([...told, ...version]),
  })
}

function cpuFlags(subject: Subject): string[] {
  return (cpuFields(subject).get('flags') ?? '').split(' ').filter(flag => /^\w+$/.test(flag))
}

function cpuFact(subject: Subject): Fact {
  const fields = cpuFields(subject)
  const number = (name: string): number => Number.parseFloat(fields.get(name) ?? '0')
  return captured({
    vendor_id: fields.get('vendor_id') ?? '',
    family: number('cpu family'),
    model: number('model'),
    name: fields.get('model name') ?? '',
    stepping: number('stepping'),
    mhz: number('cpu MHz'),
    cacheKb: number('cache size'),
    flags: cpuFlags(subject).filter(flag => flag !== 'hypervisor'),
    addressSizes: fields.get('address sizes') ?? '',
  })
}
