import { z } from 'zod'
import { faultsSchema } from './faults/schema.js'
import { hostFaultsSchema } from './hosts/faults.js'

const whole = z.int().positive()

const userSchema = z.strictObject({
  name: z.string().regex(/^[a-z_][a-z0-9_-]*$/i),
  password: z.string().optional(),
  /** OpenSSH public keys, as in `authorized_keys`. */
  authorizedKeys: z.array(z.string()).optional(),
})

const hardwareSchema = z.strictObject({
  vcpus: whole.max(512),
  memoryBytes: whole,
  firmware: z.enum(['bios', 'uefi']).optional(),
  generation: z.union([z.literal(1), z.literal(2)]).optional(),
  machine: z.string().optional(),
  disk: z.string().optional(),
  nic: z.string().optional(),
  mode: z.enum(['pv', 'hvm', 'pvh']).optional(),
})

const loopback = z.string().regex(/^127\.\d+\.\d+\.\d+$/, 'a loopback address')
const port = z.int().min(0).max(65_535)

/** What an emulated guest is started from. */
export const emulatedGuestSchema = z.strictObject({
  name: z.string().min(1),
  /** A persona's name with mutants after a `+`, or a path. */
  persona: z.string().min(1),
  personaFolders: z.array(z.string()),
  /** A host's persona: what the guest sees of its hypervisor. */
  platform: z.string().optional(),
  hardware: hardwareSchema,
  users: z.array(userSchema).min(1),
  host: loopback.default('127.0.0.1'),
  /** 0 for a free one. */
  port: port.default(0),
  /** A private key in PEM or OpenSSH form; made anew when absent. */
  hostKey: z.string().optional(),
  faults: faultsSchema.optional(),
})

const vmSchema = z.strictObject({
  name: z.string().min(1),
  /** The system on its disk. */
  guest: z.strictObject({
    persona: z.string().min(1),
    users: z.array(userSchema).min(1),
    faults: faultsSchema.optional(),
  }),
  hardware: hardwareSchema,
  /** Snapshots of the system as it was installed. */
  snapshots: z.array(z.string()).default([]),
  /** Files on the host with the system as it was installed. */
  images: z.array(z.string().regex(/^(?:\/|[A-Za-z]:\\)/)).default([]),
})

/** What an emulated host is started from. */
export const emulatedHostSchema = z.strictObject({
  name: z.string().min(1),
  /** A host's persona with `machine`, `node`, `libvirt` and `network`. */
  persona: z.string().min(1),
  personaFolders: z.array(z.string()),
  users: z.array(userSchema).min(1),
  host: loopback.default('127.0.0.1'),
  port: port.default(0),
  hostKey: z.string().optional(),
  /** Host keys of its guests, by the name of their virtual machine; those that are missing are made. */
  guestKeys: z.record(z.string(), z.string()).default({}),
  vms: z.array(vmSchema).default([]),
  faults: hostFaultsSchema.default({}),
})

/** Several emulated guests and hosts, started together. */
export const emulatedLabSchema = z.strictObject({
  guests: z.array(emulatedGuestSchema),
  hosts: z.array(emulatedHostSchema).default([]),
  /** A folder that keeps ports and host keys from one start to the next. */
  stateFolder: z.string().optional(),
  /** As a process of its own: runs on when its standard input ends, until SIGTERM comes. */
  lasting: z.boolean().default(false),
})

/** A guest's spec, checked. */
export type ParsedGuestSpec = z.output<typeof emulatedGuestSchema>
export type EmulatedGuestSpec = z.input<typeof emulatedGuestSchema>
export type EmulatedHostSpec = z.input<typeof emulatedHostSchema>
/** A host's spec, checked. */
export type ParsedHostSpec = z.output<typeof emulatedHostSchema>
export type EmulatedLabSpec = z.input<typeof emulatedLabSchema>
