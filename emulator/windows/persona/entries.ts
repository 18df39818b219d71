import { z } from 'zod'
import { provenancePattern } from '../../persona/provenance.js'

/** Where a fact comes from. */
export const from = z
  .string('says where the fact comes from')
  .regex(provenancePattern, 'captured, assumed, mutant, transcript: URL or vendor: URL')

/** A fact: some values, and where they come from. */
export function fact<Shape extends z.ZodRawShape>(shape: Shape) {
  return z.strictObject({ from, ...shape })
}

export const name = z.string().regex(/^[a-z0-9][a-z0-9._-]*$/, 'lower-case letters, digits, dots and dashes')
export const whole = z.int().nonnegative()
export const nt = z.string().regex(/^\d+\.\d+$/, 'a version of NT in quotes, e.g. "6.1"')
export const guestPath = z.string().regex(/^[A-Z]:\\/, 'an absolute path, e.g. C:\\Windows')
const scalar = z.union([z.string(), z.number(), z.boolean(), z.null()])
export const value = z.union([scalar, z.array(scalar)])

/** Limits a group of facts to the versions and configurations in which a guest has it. */
export const when = {
  hypervisor: z.array(z.string()).optional(),
  disk: z.array(z.string()).optional(),
  nic: z.array(z.string()).optional(),
  firmware: z.enum(['bios', 'uefi']).optional(),
  since: nt.optional(),
  until: nt.optional(),
}

/** What the product says of itself. Every front derives its words from these. */
export const osShape = {
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

export const zoneShape = {
  key: z.string(),
  caption: z.string(),
  standardName: z.string(),
  daylightName: z.string(),
  /** Minutes that UTC is ahead of standard time: 480 of Pacific time. */
  biasMinutes: z.int(),
  /** By whose rule summer time comes, if it does. */
  daylight: z.enum(['none', 'us']),
}

export const powershellShape = {
  version: z.string(),
  clr: z.string(),
  /** What $PSVersionTable calls BuildVersion. */
  build: z.string(),
  startMs: whole,
}

/** What the guest answers to one script of a lab's own tests: it runs none. */
export const scriptAnswer = z.strictObject({
  script: z.string(),
  output: z.string().default(''),
  /** What is written as errors, in order. */
  errors: z.array(z.string()).default([]),
  ends: z.enum(['end', 'exit', 'throw']).default('end'),
  /** Of `exit`, or $LASTEXITCODE at the end. */
  status: whole.default(0),
})

export const serviceEntry = z.strictObject({
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

export const driverShape = {
  version: z.string(),
  /** `YYYY-MM-DD` */
  date: z.string(),
  provider: z.string(),
  inf: z.string(),
  signer: z.string().nullable(),
  signed: z.boolean(),
}
export const deviceEntry = z.strictObject({
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

export const fileEntry = fact({
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
