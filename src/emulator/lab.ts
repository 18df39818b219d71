import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { type EmulatedGuest, startEmulatedGuest } from './guest.js'
import { type EmulatedLabSpec, emulatedLabSchema } from './spec.js'

/** An emulated lab that was started. */
export interface EmulatedLab {
  readonly guests: readonly EmulatedGuest[]
  close(): Promise<void>
}

const stateSchema = z.record(z.string(), z.strictObject({ port: z.int(), hostKey: z.string() }))
type State = z.output<typeof stateSchema>

/** Starts several emulated guests at once. With `stateFolder`, ports and host keys are those of the last start. */
export async function startEmulatedLab(spec: EmulatedLabSpec): Promise<EmulatedLab> {
  const { guests: specs, stateFolder } = emulatedLabSchema.parse(spec)
  const kept = stateFolder === undefined ? {} : readState(stateFolder)
  const started = await Promise.allSettled(
    specs.map(guest => {
      const known = kept[guest.name]
      return startEmulatedGuest({
        ...guest,
        port: guest.port !== 0 ? guest.port : (known?.port ?? 0),
        ...(guest.hostKey === undefined && known ? { hostKey: known.hostKey } : {}),
      })
    }),
  )
  const guests = started.flatMap(result => (result.status === 'fulfilled' ? [result.value] : []))
  const close = async (): Promise<void> => {
    await Promise.all(guests.map(guest => guest.close()))
  }
  const failed = started.find(result => result.status === 'rejected')
  if (failed) {
    await close()
    throw failed.reason
  }
  if (stateFolder !== undefined) writeState(stateFolder, guests)
  return { guests, close }
}

function readState(folder: string): State {
  try {
    return stateSchema.parse(JSON.parse(readFileSync(join(folder, 'emulated.json'), 'utf8')))
  } catch {
    // The first start, or a file that is no use any more: everything is made anew.
    return {}
  }
}

function writeState(folder: string, guests: readonly EmulatedGuest[]): void {
  const state: State = Object.fromEntries(guests.map(({ name, port, hostKey }) => [name, { port, hostKey }]))
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'emulated.json'), JSON.stringify(state), { mode: 0o600 })
}
