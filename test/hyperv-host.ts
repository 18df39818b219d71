import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'
import { clientKey } from '../emulator/client.test.helper.js'
import { personaFolder } from '../emulator/harness.test.helper.js'
import { startEmulatedHost } from '../emulator/hosts/host.js'
import type { EmulatedHostSpec } from '../emulator/spec.js'
import { defaultLimits } from '../src/config/limits.js'
import type { Login } from '../src/config/model.js'
import { connect, openWindows, WindowsMachine } from '../src/remote/index.js'

/** The clean disk of the host's VM. */
export const disk = 'D:\\clean\\rhel9.vhdx'

const users = [{ name: 'root', authorizedKeys: [clientKey.public] }]
/** A RHEL 9 of generation 2, as its template. */
export const vms: NonNullable<EmulatedHostSpec['vms']> = [
  {
    name: 'rhel9',
    guest: { persona: 'rhel-9', users },
    hardware: {
      vcpus: 2,
      memoryBytes: 2 ** 28,
      generation: 2,
      firmware: 'uefi',
      disk: 'scsi',
      nic: 'synthetic',
    },
    images: [disk],
  },
]

/** An emulated Hyper-V host, and how to log in to it. */
export interface HyperVHost {
  readonly host: Awaited<ReturnType<typeof startEmulatedHost>>
  readonly login: Login
  readonly keyPath: string
}

/** Starts one, which goes with the test. */
export async function startHyperVHost(t: Test, more: Partial<EmulatedHostSpec> = {}): Promise<HyperVHost> {
  const host = await startEmulatedHost({
    name: 'hv-1',
    persona: 'hyper-v-2022',
    personaFolders: [personaFolder],
    users,
    vms,
    ...more,
  })
  t.teardown(() => host.close())
  const folder = await mkdtemp(join(tmpdir(), 'gc-hyperv-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  const keyPath = join(folder, 'key')
  await writeFile(keyPath, clientKey.private)
  const login: Login = {
    user: 'root',
    key: { kind: 'file', path: keyPath },
    algorithms: 'legacy',
    hostKey: { kind: 'pinned', fingerprint: host.machine.hostKeyFingerprint },
  }
  return { host, login, keyPath }
}

/** Logs in to one. */
export async function openHyperVMachine({ host, login }: HyperVHost): Promise<WindowsMachine> {
  const { signal } = new AbortController()
  const endpoint = { host: host.machine.host, port: host.machine.port, jumps: [] }
  const machine = await connect(
    { endpoint, login, label: 'hv-1', limits: defaultLimits, signal },
    { become: ssh => openWindows(ssh, { mark: 'guestcert/hv-1', signal }) },
  )
  if (!(machine instanceof WindowsMachine)) throw new Error('it is not a Windows')
  return machine
}
