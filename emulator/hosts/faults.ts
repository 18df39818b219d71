import { z } from 'zod'
import { pattern } from '../faults/settings.js'

/** The ways in which an emulated host misbehaves when it is told to. See docs/personas.md. */
export const hostFaultsSchema = z.strictObject({
  /** Guests whose name matches never leave `in shutdown`, whatever is asked. */
  stuckInShutdown: z.strictObject({ vm: pattern.default('') }).optional(),
  /** Snapshots of that name are not there any more. */
  vanishedSnapshot: z.strictObject({ name: pattern }).optional(),
  /** An API forgets a session after so many calls; hostd of ESXi cannot be spoken to at each so many-th. */
  sessionEnds: z.strictObject({ calls: z.int().min(3) }).optional(),
  /** Tasks of an API, or of a command of ESXi, whose name matches fail after they were begun. */
  lateFailure: z.strictObject({ command: pattern }).optional(),
  /** Of ESXi: after so many looks for questions the datastore is full, and machines that run ask what to do. */
  fillsUp: z.strictObject({ looks: z.int().positive().max(1_000) }).optional(),
  /** Its disk is full. */
  noSpace: z.literal(true).optional(),
  /** Its management tools take that much longer, in ms. */
  slow: z.strictObject({ ms: z.int().positive().max(600_000) }).optional(),
  /** Saving a guest's memory takes that much longer, in ms; the guest stands still meanwhile. */
  slowSaves: z.strictObject({ ms: z.int().positive().max(600_000) }).optional(),
  /** Of Hyper-V and ESXi: so many looks for a guest's addresses find none, as while its services or tools start. */
  lateAddresses: z.strictObject({ looks: z.int().positive().max(1_000) }).optional(),
  /** Of Hyper-V: the disks of a deleted checkpoint are seen merged only after so many looks. */
  lateMerges: z.strictObject({ looks: z.int().positive().max(1_000) }).optional(),
  /** Of Hyper-V: every error has this text, as on a host that speaks another language. */
  localised: z.strictObject({ message: z.string().min(1) }).optional(),
  /** It is gone with all its guests, once a command matches. */
  gone: z.strictObject({ command: pattern }).optional(),
})

export type HostFaults = z.output<typeof hostFaultsSchema>
