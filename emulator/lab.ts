import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { type EmulatedGuest, startEmulatedGuest } from './guest.js'
import { type EmulatedHost, startEmulatedHost } from './hosts/host.js'
import { Site } from './hosts/site.js'
import { type EmulatedLabSpec, emulatedLabSchema } from './spec.js'

/** An emulated lab that was started. */
export interface EmulatedLab {
  readonly guests: readonly EmulatedGuest[]
  readonly hosts: readonly EmulatedHost[]
  close(): Promise<void>
}

const keptSchema = z.strictObject({
  port: z.int(),
  hostKey: z.string(),
  guestKeys: z.record(z.string(), z.string()).default({}),
})
const stateSchema = z.record(z.string(), keptSchema)
type State = z.output<typeof stateSchema>

/** Hosts and guests may have the same name. */
const hostMark = 'host '

/**
 * Starts several emulated guests and hosts at once. With `stateFolder`, ports and host keys are those of the last
 * start.
 */
export async function startEmulatedLab(spec: EmulatedLabSpec): Promise<EmulatedLab> {
  const { guests: guestSpecs, hosts: hostSpecs, stateFolder } = emulatedLabSchema.parse(spec)
  const kept = stateFolder === undefined ? {} : readState(stateFolder)
  const again = <Spec extends { name: string; port: number; hostKey?: string | undefined }>(
    wanted: Spec,
    known: State[string] | undefined,
  ): Spec => ({
    ...wanted,
    port: wanted.port !== 0 ? wanted.port : (known?.port ?? 0),
    ...(wanted.hostKey === undefined && known ? { hostKey: known.hostKey } : {}),
  })
  const site = new Site()
  const [guests, hosts] = await Promise.all([
    Promise.allSettled(guestSpecs.map(guest => startEmulatedGuest(again(guest, kept[guest.name])))),
    Promise.allSettled(
      hostSpecs.map(host => {
        const known = kept[`${hostMark}${host.name}`]
        return startEmulatedHost({ ...again(host, known), guestKeys: known?.guestKeys ?? {} }, site)
      }),
    ),
  ])
  const lab = labOf(started(guests), started(hosts))
  const failed = [...guests, ...hosts].find(result => result.status === 'rejected')
  if (failed) {
    await lab.close()
    throw failed.reason
  }
  if (stateFolder !== undefined) writeState(stateFolder, lab)
  return lab
}

function started<T>(results: readonly PromiseSettledResult<T>[]): T[] {
  return results.flatMap(result => (result.status === 'fulfilled' ? [result.value] : []))
}

function labOf(guests: readonly EmulatedGuest[], hosts: readonly EmulatedHost[]): EmulatedLab {
  return {
    guests,
    hosts,
    close: async () => {
      await Promise.all([...guests, ...hosts].map(one => one.close()))
    },
  }
}

function readState(folder: string): State {
  try {
    return stateSchema.parse(JSON.parse(readFileSync(join(folder, 'emulated.json'), 'utf8')))
  } catch {
    // The first start, or a file that is no use any more: everything is made anew.
    return {}
  }
}

function writeState(folder: string, { guests, hosts }: EmulatedLab): void {
  const state: State = Object.fromEntries([
    ...guests.map(({ name, port, hostKey }) => [name, { port, hostKey, guestKeys: {} }] as const),
    ...hosts.map(({ machine: { name, port, hostKey }, guestKeys }) => {
      const keys = Object.fromEntries([...guestKeys].map(([vm, { pem }]) => [vm, pem]))
      return [`${hostMark}${name}`, { port, hostKey, guestKeys: keys }] as const
    }),
  ])
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'emulated.json'), JSON.stringify(state), { mode: 0o600 })
}
