import { z } from 'zod'
import { faultsSchema } from '../../faults/schema.js'
import { provenancePattern } from '../../persona/provenance.js'
import { personaSchema } from '../../persona/schema.js'

const from = z
  .string('says where the fact comes from')
  .regex(provenancePattern, 'captured, assumed, mutant, transcript: URL or vendor: URL')

/** A fact: some values, and where they come from. */
function fact<Shape extends z.ZodRawShape>(shape: Shape) {
  return z.strictObject({ from, ...shape })
}

const name = z.string().regex(/^[a-z0-9][a-z0-9._-]*$/, 'lower-case letters, digits, dots and dashes')
const whole = z.int().nonnegative()
const nt = z.string().regex(/^\d+\.\d+$/, 'a version of NT in quotes, e.g. "6.1"')
const guestPath = z.string().regex(/^[A-Z]:\\/, 'an absolute path, e.g. C:\\Windows')
const scalar = z.union([z.string(), z.number(), z.boolean(), z.null()])
const value = z.union([scalar, z.array(scalar)])

/** Limits a group of facts to the versions and configurations in which a guest has it. */
const when = {
  hypervisor: z.array(z.string()).optional(),
  disk: z.array(z.string()).optional(),
  nic: z.array(z.string()).optional(),
  firmware: z.enum(['bios', 'uefi']).optional(),
  since: nt.optional(),
  until: nt.optional(),
}

/** What the product says of itself. Every front derives its words from these. */
const osShape = {
  caption: z.string(),
  /** In the registry: `Windows Server 2022 Standard`. */
  productName: z.string(),
  nt,
  build: whole,
  /** The update build revision, as the registry has it. */
  revision: whole.optional(),
  /** How many parts of the version `ver` shows. */
  verParts: z.union([z.literal(3), z.literal(4)]),
  servicePack: whole,
  editionId: z.string().optional(),
  installationType: z.string().optional(),
  releaseId: z.string().optional(),
  displayVersion: z.string().optional(),
  buildLab: z.string(),
  sku: whole.optional(),
  /** Win32_OperatingSystem.OtherTypeDescription: `R2` of 2003 R2. */
  otherType: z.string().optional(),
  suiteMask: whole,
  bits: z.union([z.literal(32), z.literal(64)]),
  /** Folder of the system: `WINNT` on 2000. */
  systemRoot: guestPath,
  oemCodePage: z.union([z.literal(437), z.literal(850)]),
  ansiCodePage: z.literal(1252),
  locale: z.string(),
  productId: z.string(),
  registeredOwner: z.string(),
  /** Local time of the installation, `YYYY-MM-DD hh:mm:ss`. */
  installed: z.string(),
}

const zoneShape = {
  key: z.string(),
  caption: z.string(),
  standardName: z.string(),
  daylightName: z.string(),
  /** Minutes that UTC is ahead of standard time: 480 of Pacific time. */
  biasMinutes: z.int(),
  /** By whose rule summer time comes, if it does. */
  daylight: z.enum(['none', 'us']),
}

const powershellShape = {
  version: z.string(),
  clr: z.string(),
  /** What $PSVersionTable calls BuildVersion. */
  build: z.string(),
  startMs: whole,
}

/** What the guest answers to one script of a lab's own tests: it runs none. */
const scriptAnswer = z.strictObject({
  script: z.string(),
  output: z.string().default(''),
  /** What is written as errors, in order. */
  errors: z.array(z.string()).default([]),
  ends: z.enum(['end', 'exit', 'throw']).default('end'),
  /** Of `exit`, or $LASTEXITCODE at the end. */
  status: whole.default(0),
})

const serviceEntry = z.strictObject({
  name: z.string(),
  display: z.string().optional(),
  description: z.string().optional(),
  type: z.enum(['own', 'share', 'kernel', 'filesystem']).optional(),
  start: z.enum(['boot', 'system', 'auto', 'manual', 'disabled']).optional(),
  delayed: z.boolean().optional(),
  state: z.enum(['running', 'stopped', 'start-pending', 'stop-pending', 'paused']).optional(),
  path: z.string().optional(),
  account: z.string().optional(),
  group: z.string().optional(),
  exitCode: whole.optional(),
  /** Of drivers: date of their file, `YYYY-MM-DD`. */
  linked: z.string().optional(),
  accepts: z.array(z.enum(['stop', 'pause', 'shutdown', 'preshutdown'])).optional(),
})

const driverShape = {
  version: z.string(),
  /** `YYYY-MM-DD` */
  date: z.string(),
  provider: z.string(),
  inf: z.string(),
  signer: z.string().nullable(),
  signed: z.boolean(),
}
const deviceEntry = z.strictObject({
  id: z.string(),
  name: z.string(),
  class: z.string(),
  classGuid: z.string().optional(),
  manufacturer: z.string().nullable().optional(),
  service: z.string().nullable().optional(),
  hardwareIds: z.array(z.string()).optional(),
  compatibleIds: z.array(z.string()).optional(),
  errorCode: whole.default(0),
  status: z.string().optional(),
  driver: z.strictObject(driverShape).nullable().optional(),
  /** What it is to other classes: the network card, the system disk, … */
  role: z.enum(['nic', 'disk', 'storage', 'processor', 'cdrom', 'display']).optional(),
})

const file = fact({
  text: z.string().optional(),
  base64: z.base64().optional(),
  /** Size in bytes of a file whose content nobody reads. */
  size: whole.optional(),
  version: z.string().optional(),
  company: z.string().optional(),
  directory: z.literal(true).optional(),
  /** Local time, `YYYY-MM-DD hh:mm:ss`. */
  modified: z.string().optional(),
  since: nt.optional(),
  until: nt.optional(),
})

const sections = {
  persona: name,
  kind: z.enum(['guest', 'mutant', 'part']),
  family: z.literal('windows'),
  title: z.string().min(1),
  extends: z.union([name, z.array(name)]).optional(),
  product: z.string().optional(),
  version: z.string().optional(),
  edition: z.string().optional(),
  arch: z.enum(['x86_64', 'i686']).optional(),

  os: z.strictObject({ from, ...z.object(osShape).partial().shape }).optional(),
  zone: fact(zoneShape).optional(),
  ssh: personaSchema.shape.ssh
    .unwrap()
    .extend({
      server: z.enum(['openssh', 'bitvise', 'freesshd', 'cygwin']),
      loginShell: z.enum(['cmd', 'powershell', 'bash']),
      sftp: z.boolean(),
    })
    .optional(),
  /** Absent where the product has none. */
  powershell: fact(powershellShape).nullable().optional(),
  timing: fact({ bootMs: whole, shutdownMs: whole }).optional(),
  storage: fact({
    /** Size of C: in bytes. */
    sizeBytes: whole,
    freeBytes: whole,
    label: z.string(),
  }).optional(),
  memory: fact({ reservedBytes: whole, pageFileMiB: whole }).optional(),
  activation: fact({
    /** LicenseStatus of SoftwareLicensingProduct: 1 licensed, 2 out-of-box grace, 5 notification. */
    status: whole.max(6),
    channel: z.string(),
    description: z.string(),
    partialKey: z.string(),
    /** Minutes left; 0 when it does not end. */
    graceMinutes: whole,
    evaluation: z.boolean(),
  }).optional(),
  state: fact({
    /** Reasons for a reboot that the system has written down. */
    pendingReboot: z.array(z.enum(['cbs', 'update', 'rename', 'computer-name'])).default([]),
    /** How the boot before ended. */
    lastShutdown: z.enum(['clean', 'dirty', 'bugcheck']).default('clean'),
    elevated: z.boolean().default(true),
    /** What boot identities do over a reboot: `lies` answers as if it had rebooted and does nothing. */
    reboot: z.enum(['works', 'lies']).default('works'),
    timeSource: z.string().default('Local CMOS Clock'),
    /** WMI classes that its repository has lost. */
    brokenClasses: z.array(z.string()).default([]),
    /** cmd ends with 0, whatever its line ended with. */
    cmdEndsWell: z.boolean().default(false),
    /** SMBIOS UUID is shown with the first three fields' bytes the other way round. */
    swappedUuid: z.boolean().default(false),
    /** The firmware has no UUID: all bits are set. */
    lacksUuid: z.boolean().default(false),
    /** WMI classes that answer with no object and no error. */
    emptyClasses: z.array(z.string()).default([]),
    /** Every so many bytes of a file, one is not kept as it was written. */
    corruptEveryBytes: whole.min(512).optional(),
    /** Ms that a query of a class takes. */
    slowClasses: z.record(z.string(), whole).default({}),
  }).optional(),
  clock: personaSchema.shape.clock,
  hardware: personaSchema.shape.hardware,
  faults: fact({ list: faultsSchema }).optional(),

  classes: z
    .record(
      z.string(),
      fact({
        since: nt.optional(),
        until: nt.optional(),
        namespace: z.string().default('root\\cimv2'),
        key: z.string(),
        singleton: z.boolean().default(false),
        /** A line a property: its name, its CIM type, and the version of NT that brought it. */
        properties: z.string(),
      }),
    )
    .default({}),
  /** Values of a class that are the same in every instance, laid over what the system makes of it. */
  objects: z.record(z.string(), fact({ ...when, values: z.record(z.string(), value) })).default({}),
  registry: z
    .array(
      fact({
        ...when,
        key: z.string().regex(/^HK(?:LM|CU|CR|U|CC)\\/, 'HKLM\\…'),
        values: z.record(
          z.string(),
          z.union([
            z.string(),
            z.strictObject({ dword: whole }),
            z.strictObject({ qword: z.string() }),
            z.strictObject({ multi: z.array(z.string()) }),
            z.strictObject({ expand: z.string() }),
            z.strictObject({ binary: z.string().regex(/^(?:[0-9a-f]{2})*$/i) }),
          ]),
        ),
      }),
    )
    .default([]),
  services: z.array(fact({ ...when, list: z.array(serviceEntry) })).default([]),
  devices: z.array(fact({ ...when, list: z.array(deviceEntry) })).default([]),
  /** Changes to devices that are there, found by their service. */
  deviceChanges: z
    .array(
      fact({
        service: z.string(),
        errorCode: whole.optional(),
        driver: z.strictObject(driverShape).partial().optional(),
        removed: z.boolean().optional(),
        replacedBy: z.string().optional(),
      }),
    )
    .default([]),
  processes: z
    .array(
      fact({
        ...when,
        list: z.array(
          z.strictObject({
            image: z.string(),
            line: z.string(),
            user: z.string(),
            session: whole,
            kb: whole,
          }),
        ),
      }),
    )
    .default([]),
  answers: z.array(fact({ ...when, list: z.array(scriptAnswer) })).default([]),
  hotfixes: z
    .array(
      fact({
        ...when,
        list: z.array(z.strictObject({ id: z.string(), kind: z.string(), installed: z.string() })),
      }),
    )
    .default([]),
  /** What the event log says, by name of the occasion. `%1` stands for the first insert. */
  eventTexts: z
    .record(
      z.string(),
      fact({
        log: z.string(),
        source: z.string(),
        id: whole,
        level: z.enum(['Critical', 'Error', 'Warning', 'Information']),
        text: z.string(),
        guid: z.string().optional(),
        category: whole.optional(),
        keywords: z.string().optional(),
        since: nt.optional(),
        until: nt.optional(),
      }),
    )
    .default({}),
  /** Events beside those of booting and going down, at so many seconds after boot (before it when negative). */
  events: z
    .array(
      fact({
        ...when,
        list: z.array(
          z.strictObject({ event: z.string(), atSec: z.number(), inserts: z.array(z.string()).default([]) }),
        ),
      }),
    )
    .default([]),
  files: z.record(guestPath, file.nullable()).default({}),
  /** Programs under System32 (or its place in it) by name: `wbem\wmic.exe`. */
  programs: z.array(fact({ ...when, names: z.array(z.string()).min(1) })).default([]),
  missing: z.array(fact({ names: z.array(z.string()).min(1) })).default([]),
}

/** One file of a Windows persona. See docs/personas.md. */
export const windowsPersonaSchema = z.strictObject(sections)

/** A Windows persona, with all that it extends laid under it. */
export type WindowsFile = z.output<typeof windowsPersonaSchema>

/** Facts of the product, whole. */
export type OsFacts = z.output<z.ZodObject<typeof osShape>>
export const osFacts = z.object(osShape)

const needed = [
  'product',
  'version',
  'arch',
  'zone',
  'ssh',
  'timing',
  'storage',
  'memory',
  'activation',
  'state',
] as const

/** The sections that a guest's persona must have once all is laid together. */
export const windowsSections: readonly (keyof WindowsFile)[] = [...needed, 'os']

/** A Windows guest's persona, whole. */
export type WindowsPersona = Omit<WindowsFile, 'os' | (typeof needed)[number]> & {
  readonly [Section in (typeof needed)[number]]: NonNullable<WindowsFile[Section]>
} & { readonly os: OsFacts & { readonly from: string } }

/** Limits of a group of facts. */
export interface Conditional {
  readonly hypervisor?: readonly string[] | undefined
  readonly disk?: readonly string[] | undefined
  readonly nic?: readonly string[] | undefined
  readonly firmware?: string | undefined
  readonly since?: string | undefined
  readonly until?: string | undefined
}
