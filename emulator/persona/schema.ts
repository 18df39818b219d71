import { z } from 'zod'
import { faultsSchema } from '../faults/schema.js'
import { fact, hex, mode, name, path, whole } from './facts.js'
import { hostOnly } from './host-sections.js'

/** A file, a link, a directory, or a name for what the emulator makes itself. */
const file = z.xor(
  [
    fact({ text: z.string(), mode: mode.optional(), owner: z.string().optional() }),
    fact({ base64: z.base64(), mode: mode.optional(), owner: z.string().optional() }),
    fact({ live: z.string(), mode: mode.optional() }),
    fact({ tree: z.string() }),
    fact({ link: z.string() }),
    fact({ directory: z.literal(true), mode: mode.optional(), owner: z.string().optional() }),
    fact({ device: z.string() }),
  ],
  'one of text, base64, live, tree, link, directory, device, and from',
)

const command = fact({
  stdout: z.string().default(''),
  stderr: z.string().default(''),
  exit: whole.max(255).default(0),
})
/** Limits a group to the configurations in which a guest has it. */
const when = {
  disk: z.array(z.string()).optional(),
  nic: z.array(z.string()).optional(),
  hypervisor: z.array(z.string()).optional(),
  mode: z.enum(['hvm', 'pv']).optional(),
  firmware: z.enum(['bios', 'uefi']).optional(),
}
const logGroup = fact({
  ...when,
  lines: z.array(
    z.strictObject({ at: z.number().nonnegative(), text: z.string(), level: whole.max(7).default(6) }),
  ),
})
const programGroup = fact({ paths: z.array(path).min(1) })
const processGroup = fact({
  list: z.array(z.strictObject({ pid: whole, ppid: whole, user: z.string(), args: z.string() })),
})
const moduleGroup = fact({
  /** Modules as in /proc/modules: name and size. */
  names: z.record(z.string(), whole),
  ...when,
})

const algorithms = z.strictObject({
  kex: z.array(z.string()).min(1),
  serverHostKey: z.array(z.string()).min(1),
  cipher: z.array(z.string()).min(1),
  hmac: z.array(z.string()).min(1),
  compress: z.array(z.string()).min(1),
})

const sections = {
  persona: name,
  kind: z.enum(['guest', 'host', 'mutant', 'part']),
  title: z.string().min(1),
  extends: z.union([name, z.array(name)]).optional(),
  family: z.literal('linux').optional(),
  product: z.string().optional(),
  version: z.string().optional(),
  arch: z.enum(['x86_64', 'i686']).optional(),

  /** The login shell of its users, and how `/bin/sh` behaves. */
  shell: fact({
    path,
    flavour: z.enum(['bash', 'dash']),
    /** The id of the first user beside root. */
    firstUid: whole.min(1),
  }).optional(),
  init: fact({ kind: z.enum(['sysv', 'systemd']) }).optional(),
  ssh: fact({
    ident: z.string().regex(/^SSH-2\.0-[\x21-\x7e]/, 'SSH-2.0-…'),
    algorithms,
    hostKey: z.enum(['rsa', 'ed25519', 'ecdsa']),
    maxSessions: whole.min(1).optional(),
    signals: z.enum(['ignored', 'forwarded']),
    acceptEnv: z.array(z.string()).default([]),
    methods: z.array(z.enum(['publickey', 'password', 'keyboard-interactive'])).min(1),
  }).optional(),
  kernel: fact({
    release: z.string(),
    version: z.string(),
    procVersion: z.string(),
    processor: z.string(),
    platform: z.string(),
    timestamps: z.boolean(),
    logRestricted: z.boolean(),
    firstPid: whole.min(2),
    maxPid: whole.min(1000),
    cmdline: z.string(),
    tainted: whole,
  }).optional(),
  /** How the kernel shows processors and memory. */
  processors: fact({
    /** Lines of /proc/cpuinfo that this kernel has, in order. */
    fields: z.array(z.string()),
    /** Flags that this kernel has no name for and so does not show. */
    hides: z.array(z.string()).default([]),
  }).optional(),
  /** What the product does about hardware that comes while it runs. */
  plugging: fact({
    /** Whether something takes new processors into use. */
    newCpus: z.enum(['online', 'offline']),
  }).optional(),
  memory: fact({
    /** What the kernel keeps for itself: MemTotal is less than was given. */
    reservedBytes: whole,
    reservedPerMille: whole.max(200),
    fields: z.array(z.string()),
  }).optional(),
  /** What this kernel makes of the hypervisor below it. */
  virtual: fact({
    /** Clock sources that the kernel knows, best first; the first that is offered becomes the current one. */
    clocksources: z.array(z.string()),
    /** Files that it has under /sys/class/dmi/id. */
    dmi: z.array(z.string()),
    /** Whether /sys/hypervisor shows what is below. */
    hypervisorDirectory: z.boolean(),
  }).optional(),
  storage: fact({
    clearedAtBoot: z.array(path),
    device: z.string(),
    filesystem: z.string(),
    roomMiB: whole.min(1).max(1024),
  }).optional(),
  /** A disk that does not keep what it is given: one bit in so many bytes. */
  disk: fact({ corruptEveryBytes: whole.min(512) }).optional(),
  entropy: fact({
    available: whole,
    poolBits: whole,
    random: z.enum(['flows', 'blocks', 'short']),
  }).optional(),
  timing: fact({ bootMs: whole, shutdownMs: whole }).optional(),
  clock: fact({
    offsetMs: z.number().optional(),
    driftPpm: z.number().optional(),
    jumps: z.array(z.strictObject({ afterMs: whole, byMs: z.int() })).optional(),
    sawtooth: z
      .strictObject({ periodMs: z.number().positive(), amplitudeMs: z.number().positive() })
      .optional(),
    monotonicToo: z.boolean().optional(),
  }).optional(),
  power: fact({ reboot: z.enum(['works', 'lies']) }).optional(),
  /** How it bears what its host does to it: for mutants. */
  lifecycle: fact({
    stopsWhenPaused: z.literal(false).optional(),
    wakes: z.literal(false).optional(),
    findsNewDevices: z.literal(false).optional(),
    /** Directories that snapshots leave as they are. */
    outsideSnapshots: z.array(path).optional(),
    heedsPowerButton: z.literal(false).optional(),
    restartsWhenMoved: z.literal(true).optional(),
  }).optional(),
  sudo: fact({ users: z.record(z.string(), z.enum(['password', 'nopasswd'])) }).optional(),
  /** What is changed of the hardware that the instance was given: for mutants. */
  hardware: fact({
    fewerVcpus: whole.optional(),
    memoryFactor: z.number().positive().max(4).optional(),
    platform: name.optional(),
  }).optional(),
  faults: fact({ list: faultsSchema }).optional(),

  files: z.record(path, file.nullable()).default({}),
  commands: z.record(z.string().min(1), command.nullable()).default({}),
  programs: z.array(programGroup).default([]),
  /** Programs that a persona it extends has, and it has not. */
  missing: z.array(programGroup).default([]),
  log: z.array(logGroup).default([]),
  processes: z.array(processGroup).default([]),
  modules: z.array(moduleGroup).default([]),

  /** What is different in some configurations, e.g. another kernel on Xen: a part that is laid over. */
  variants: z.array(fact({ ...when, lay: name })).default([]),

  /** PCI devices, by address. */
  pci: z
    .array(
      fact({
        ...when,
        devices: z.record(z.string(), z.strictObject({ vendor: hex, device: hex, class: hex })),
      }),
    )
    .default([]),

  ...hostOnly,
}

/** One persona file. See docs/personas.md. */
export const personaSchema = z.strictObject(sections)

/** A persona, with all that it extends laid under it. */
export type Persona = z.output<typeof personaSchema>

export type PersonaFile = NonNullable<Persona['files'][string]>

/** The sections that a guest's persona must have once all is laid together. */
export const guestSections = [
  'family',
  'product',
  'version',
  'arch',
  'shell',
  'init',
  'ssh',
  'kernel',
  'processors',
  'memory',
  'virtual',
  'storage',
  'entropy',
  'timing',
] as const satisfies readonly (keyof Persona)[]

/** The sections that a host's persona must have. */
export const hostSections = ['hypervisor', 'cpu'] as const satisfies readonly (keyof Persona)[]

/** What a host's persona must have beside, to be spoken to; and one of what drives its guests. */
export const managedSections = ['machine', 'node', 'network'] as const satisfies readonly (keyof Persona)[]

/** What drives the guests of a host that is spoken to. */
export const managers = [
  'libvirt',
  'xen',
  'hyperv',
  'xenserver',
  'vsphere',
  'esxi',
  'vmrun',
] as const satisfies readonly (keyof Persona)[]

/** A guest's persona, whole. */
export type GuestPersona = Persona & {
  readonly [Section in (typeof guestSections)[number]]-?: NonNullable<Persona[Section]>
}

/** The persona of a host that is spoken to, whole. */
export type ManagedHostPersona = HostPersona & {
  readonly [Section in (typeof managedSections)[number]]-?: NonNullable<Persona[Section]>
}

/** The persona of a host of libvirt. */
export type LibvirtHostPersona = ManagedHostPersona & { readonly libvirt: NonNullable<Persona['libvirt']> }

/** A host's persona, whole. */
export type HostPersona = Persona & {
  readonly [Section in (typeof hostSections)[number]]-?: NonNullable<Persona[Section]>
}
