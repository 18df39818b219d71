import type { Guest } from '../api/guest.js'
import type { BootIdentity } from '../guests/boot-identity.js'
import type { ClockReading } from '../guests/clock.js'
import type { Rebooted, RebootRequest } from '../guests/reboot.js'
import type { ConnectOptions, Machine } from '../remote/index.js'
import type { Served } from './api-guest.js'
import type { EvidenceFile } from './evidence.js'
import type { OpenRequest } from './open-session.js'
import type { GuestSession, SessionSource } from './session.js'

/** Whole files of a guest, as test modules read and write them. */
export interface WholeFiles {
  readBytes(path: string): Promise<Uint8Array>
  writeFile(path: string, content: string | Uint8Array): Promise<void>
}

/** What is done in different ways on different families of guests: the one seam between them. */
export interface GuestSystem {
  /** How to connect; `mark` marks every command. */
  connection(mark: string): ConnectOptions
  /** Ends what earlier runs left and readies a guest that answers for tests. Throws InfraError. */
  makeReady(
    source: SessionSource,
    machine: Machine,
    request: OpenRequest,
    mark: string,
  ): Promise<GuestSession>
  /** Reads the boot identity. Throws InfraError. */
  identify(
    machine: Machine,
    options: { readonly limitMs?: number; readonly signal?: AbortSignal },
  ): Promise<BootIdentity>
  /** Reboots, and returns when that is proven. Throws InfraError. */
  reboot(request: Omit<RebootRequest, 'command' | 'identify'>): Promise<Rebooted>
  clock(machine: Machine, signal: AbortSignal): Promise<ClockReading>
  files(session: GuestSession, signal: AbortSignal): WholeFiles
  /** The folder of one test's own files, in ours. */
  scratchFolder(ours: string, name: string): string
  /** The command that makes a folder. */
  makeCommand(folder: string): string
  /** The command that removes a folder of ours. */
  removeCommand(folder: string): string
  /** Adds what this family alone has to the guest that test modules see. */
  apiFor(session: GuestSession, guest: Served<Guest>, log: EvidenceFile, signal: AbortSignal): Served<Guest>
  /** Whether scripts of suites run on it, beside modules. */
  readonly runsScripts: boolean
}
