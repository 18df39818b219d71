import { z } from 'zod'
import { faultsSchema } from '../../faults/schema.js'
import { personaSchema } from '../../persona/schema.js'
import {
  deviceEntry,
  driverShape,
  fact,
  fileEntry,
  from,
  guestPath,
  name,
  nt,
  osShape,
  powershellShape,
  scriptAnswer,
  serviceEntry,
  value,
  when,
  whole,
  zoneShape,
} from './entries.js'

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
  files: z.record(guestPath, fileEntry.nullable()).default({}),
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
