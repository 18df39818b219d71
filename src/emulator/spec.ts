import { z } from 'zod'
import { faultsSchema } from './faults/schema.js'

const whole = z.int().positive()

const userSchema = z.strictObject({
  name: z.string().regex(/^[a-z_][a-z0-9_-]*$/i),
  password: z.string().optional(),
  /** OpenSSH public keys, as in `authorized_keys`. */
  authorizedKeys: z.array(z.string()).optional(),
})

/** What an emulated guest is started from. */
export const emulatedGuestSchema = z.strictObject({
  name: z.string().min(1),
  /** A persona's name with mutants after a `+`, or a path. */
  persona: z.string().min(1),
  personaFolders: z.array(z.string()),
  /** A host's persona: what the guest sees of its hypervisor. */
  platform: z.string().optional(),
  hardware: z.strictObject({
    vcpus: whole.max(512),
    memoryBytes: whole,
    firmware: z.enum(['bios', 'uefi']).optional(),
    generation: z.union([z.literal(1), z.literal(2)]).optional(),
    machine: z.string().optional(),
    disk: z.string().optional(),
    nic: z.string().optional(),
    mode: z.enum(['pv', 'hvm', 'pvh']).optional(),
  }),
  users: z.array(userSchema).min(1),
  host: z
    .string()
    .regex(/^127\.\d+\.\d+\.\d+$/, 'a loopback address')
    .default('127.0.0.1'),
  /** 0 for a free one. */
  port: z.int().min(0).max(65_535).default(0),
  /** A private key in PEM or OpenSSH form; made anew when absent. */
  hostKey: z.string().optional(),
  faults: faultsSchema.optional(),
})

/** Several emulated guests, started together. */
export const emulatedLabSchema = z.strictObject({
  guests: z.array(emulatedGuestSchema),
  /** A folder that keeps ports and host keys from one start to the next. */
  stateFolder: z.string().optional(),
  /** As a process of its own: runs on when its standard input ends, until SIGTERM comes. */
  lasting: z.boolean().default(false),
})

export type EmulatedGuestSpec = z.input<typeof emulatedGuestSchema>
export type EmulatedLabSpec = z.input<typeof emulatedLabSchema>
