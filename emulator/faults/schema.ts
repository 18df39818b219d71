import { z } from 'zod'
import { eitherOf, pattern } from './settings.js'

const whole = z.int().nonnegative()

/** The ways in which an emulated guest misbehaves when it is told to. See docs/personas.md. */
export const faultsSchema = z.strictObject({
  /** Boots that much later than it would, in ms, each time. */
  slowBoot: z.strictObject({ ms: whole.max(600_000) }).optional(),
  /** Its port never opens. */
  neverBoots: z.literal(true).optional(),
  /** TCP connects, and then nothing is ever said. */
  noBanner: z.literal(true).optional(),
  /** No password and no key is right; with `times`, only on the first so many connections. */
  refusedLogin: z.union([z.literal(true), z.strictObject({ times: whole.min(1) })]).optional(),
  /** Proves itself with another key than the one it is known by. */
  wrongHostKey: z.literal(true).optional(),
  /** Offers only algorithms of twenty years ago. */
  onlyOldAlgorithms: z.literal(true).optional(),
  /** Cuts the connection in mid-command: after so many bytes of its output, or when its output matches. */
  drop: eitherOf(
    {
      command: pattern.optional(),
      afterBytes: whole.optional(),
      afterOutput: pattern.optional(),
      times: whole.min(1).optional(),
    },
    'afterBytes',
    'afterOutput',
  ).optional(),
  /**
   * Commands that match never end: they stop at their start, at their end (all output is there, no status comes), or
   * once their output matches `afterOutput`. `at: program` is about the programs and scripts that are started within
   * commands: the matching ones do nothing and never end. With `times`, only the first so many.
   */
  hang: z
    .strictObject({
      command: pattern,
      at: z.enum(['start', 'end', 'program']).default('end'),
      afterOutput: pattern.optional(),
      times: whole.min(1).optional(),
    })
    .optional(),
  /** Commands that match print without end. */
  flood: z
    .strictObject({ command: pattern, stream: z.enum(['stdout', 'stderr']).default('stdout') })
    .optional(),
  /** Hostile bytes are mixed into the output of commands that match. */
  garbage: z
    .strictObject({ command: pattern, stream: z.enum(['stdout', 'stderr']).default('stdout') })
    .optional(),
  /** Commands that match end without saying how. */
  lostStatus: z.strictObject({ command: pattern, times: whole.min(1).optional() }).optional(),
  /** Commands that match end by a signal. */
  signalled: z
    .strictObject({
      command: pattern,
      signal: z
        .string()
        .regex(/^[A-Z0-9]+$/)
        .default('KILL'),
    })
    .optional(),
  /** Commands that match say this status, whatever theirs was. */
  wrongStatus: z.strictObject({ command: pattern, exit: whole.max(255) }).optional(),
  /** What matches in a command is something else by the time that it is carried out. */
  altered: z.strictObject({ command: pattern, to: z.string() }).optional(),
  /** The last byte of what matching commands print does not arrive, nor do the `bytes` before it. */
  truncated: z.strictObject({ command: pattern, bytes: whole.min(1).default(1) }).optional(),
  /** Commands that match do nothing at all and end well. */
  idle: z.strictObject({ command: pattern }).optional(),
  /** Its kernel panics, once: so long after its first boot, or when a command matches. */
  panic: eitherOf(
    {
      afterMs: whole.optional(),
      command: pattern.optional(),
      /** What the kernel gives as its reason: init's death, if nothing else. */
      reason: z.string().min(1).default('Attempted to kill init! exitcode=0x0000000b'),
    },
    'afterMs',
    'command',
  ).optional(),
  /** Reboots by itself, once: so long after a boot, or when a command matches. */
  unaskedReboot: eitherOf(
    { afterMs: whole.optional(), command: pattern.optional() },
    'afterMs',
    'command',
  ).optional(),
})

export type Faults = z.output<typeof faultsSchema>
