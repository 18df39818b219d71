import { z } from 'zod'
import { machineName } from '../../config/this-machine.js'
import { quote } from '../../remote/index.js'
import type { Found } from '../managed-vm/backend.js'
import type { CallOptions, HostCommands } from './host-commands.js'

const foundSchema = z.object({
  power: z.enum(['on', 'paused', 'off']),
  vcpus: z.number().nullable(),
  memoryBytes: z.number().nullable(),
  disks: z.array(z.string()),
  nics: z.array(z.string()),
  snapshots: z.array(z.string()),
}) satisfies z.ZodType<Found>

/**
 * A VM that serves as an instance itself does not bear the instance's name: a file in the home folder of whoever
 * logs in to the host says which one it is, so that it is found when the runner dies. Such a file also says of any
 * instance that it was kept for somebody to look at.
 */
const claimSchema = z.object({
  instance: z.string(),
  vm: z.string(),
  /** Whether the VM was running before. */
  ran: z.boolean(),
  /** How a lent VM was found, before anything of it was altered; absent from claims of other VMs. */
  found: foundSchema.optional(),
  /** The file that the VM is made anew from, where its host keeps none that does not run. */
  definition: z.string().optional(),
  /** The snapshot that the VM goes back to when it is given back. */
  clean: z.string().optional(),
  /** Who made it, for people. */
  runner: z.string(),
  at: z.string(),
  /** Whether it was left on purpose. */
  kept: z.boolean().optional(),
})

export type Claim = z.infer<typeof claimSchema>

/** A claim that the runner makes now: that an instance is that VM, and how it was found if it is lent. */
export function newClaim(instance: string, vm: string, found: Found | null = null): Claim {
  const ran = found !== null && found.power !== 'off'
  const common = { instance, vm, ran, runner: runnerName(), at: new Date().toISOString() }
  return found === null ? common : { ...common, found: foundSchema.parse(found) }
}

/** Who we are, for people on the host. */
export function runnerName(): string {
  return `${machineName()} process ${process.pid}`
}

const folder = '"$HOME/.guestcert"'

/** Writes a claim down on the host. */
export async function writeClaim(commands: HostCommands, claim: Claim, call: CallOptions): Promise<void> {
  const file = `${folder}/${quote(claim.instance)}`
  // Whole or not at all: a runner may die at any time.
  const command = `umask 077&&mkdir -p ${folder}&&cat >${file}.new&&mv ${file}.new ${file}`
  await commands.demand(command, { ...call, stdin: Buffer.from(claimText(claim)) })
}

/** Removes a claim, if it is there. */
export async function removeClaim(
  commands: HostCommands,
  instance: string,
  call: CallOptions,
): Promise<void> {
  const file = `${folder}/${quote(instance)}`
  await commands.demand(`rm -f ${file} ${file}.new`, call)
}

/** Every claim on the host; what cannot be read is none of ours. */
export async function listClaims(commands: HostCommands, call: CallOptions): Promise<Claim[]> {
  const { stdout } = await commands.run(`cat ${folder}/gc-* 2>/dev/null`, call)
  return parseClaims(stdout.text)
}

/** A claim as it is written down: one line. */
export function claimText(claim: Claim): string {
  return `${JSON.stringify(claim)}\n`
}

/** Reads claims; what cannot be read is none of ours. */
export function parseClaims(text: string): Claim[] {
  return text.split('\n').flatMap(line => {
    const parsed = claimSchema.safeParse(jsonOf(line))
    return parsed.success ? [parsed.data] : []
  })
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
