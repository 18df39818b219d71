import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type EmulatedGuest, startEmulatedGuest } from '../emulator/guest.js'
import { defaultLimits, type Limits } from '../src/config/limits.js'
import { packageRoot } from '../src/config/package-root.js'
import { connectWithRetries, openWindows, type WindowsMachine } from '../src/remote/index.js'

/** An emulated Windows guest and the connection of the product to it. */
export interface ReachedGuest {
  readonly guest: EmulatedGuest
  readonly machine: WindowsMachine
  close(): Promise<void>
}

/** Changes to a persona, as the text of its file. */
export interface PersonaChange {
  readonly folder: string
  readonly text: string
}

/** Starts a persona, changed where the test says so. Its administrator's password is `secret`. */
export async function startWindows(persona: string, change?: PersonaChange): Promise<EmulatedGuest> {
  const folders = [join(packageRoot, 'fixtures/personas')]
  if (change !== undefined) {
    writeFileSync(
      join(change.folder, 'windows-changed.yaml'),
      `persona: windows-changed\nkind: mutant\nfamily: windows\ntitle: as this test needs it\n${change.text}\n`,
    )
    folders.unshift(change.folder)
  }
  return startEmulatedGuest({
    name: 'win-1',
    persona: change === undefined ? persona : `${persona}+changed`,
    personaFolders: folders,
    platform: 'rhel-9-kvm',
    hardware: { vcpus: 2, memoryBytes: 4 * 2 ** 30, firmware: 'bios' },
    users: [{ name: 'Administrator', password: 'secret' }],
  })
}

/** Starts a persona, changed where the test says so, and connects to it as a run does. */
export async function reachWindows(
  persona: string,
  { change, limits = {} }: { change?: PersonaChange; limits?: Partial<Limits> } = {},
): Promise<ReachedGuest> {
  const guest = await startWindows(persona, change)
  const mark = 'lab/guest/run'
  const machine = await connectWithRetries(
    {
      label: persona,
      endpoint: { host: guest.host, port: guest.port, jumps: [] },
      login: {
        user: 'Administrator',
        password: { kind: 'env', name: 'PASSWORD' },
        algorithms: 'legacy',
        hostKey: { kind: 'pinned', fingerprint: guest.hostKeyFingerprint },
      },
      limits: { ...defaultLimits, boot: 30_000, ...limits },
      signal: new AbortController().signal,
    },
    {
      mark,
      sshConfigPath: null,
      environment: { PASSWORD: 'secret' },
      become: (ssh, { signal }) => openWindows(ssh, { mark, signal }),
    },
  )
  return {
    guest,
    machine: machine as WindowsMachine,
    close: async () => {
      await machine.close()
      await guest.close()
    },
  }
}
