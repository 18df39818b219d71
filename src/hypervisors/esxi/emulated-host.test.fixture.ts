import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'
import { clientKey } from '../../../emulator/client.test.helper.js'
import { personaFolder } from '../../../emulator/harness.test.helper.js'
import { startEmulatedHost } from '../../../emulator/hosts/host.js'
import type { EmulatedHostSpec } from '../../../emulator/spec.js'
import { defaultLimits } from '../../config/limits.js'
import type { CleanState, Guest, Login, Placement } from '../../config/model.js'
import { connect, type Machine } from '../../remote/index.js'
import type { Driver, GuestRequest } from '../driver.js'
import { connectionLimits, hostLimits } from '../limit.js'
import { ManagedVm } from '../managed-vm.js'
import { countedMachine } from '../shared/local-machine.test.fixture.js'
import { createEsxiDriver } from './driver.js'

export const never: AbortSignal = new AbortController().signal
export const instance = 'gc-20260101-000000-abcd-e1-1'
export const cleanDisk = '/vmfs/volumes/datastore1/clean/deb.vmdk'

const users = [{ name: 'root', authorizedKeys: [clientKey.public] }]

/** What the test does to a command before the host has it. */
export type Alter = (command: string) => string

export interface EmulatedEsxi {
  readonly driver: Driver
  readonly counted: ReturnType<typeof countedMachine>
  /** Runs a command on the host behind the driver's back, and gives what it prints. */
  run(command: string): Promise<string>
  /** Does something on the host that none of the driver's commands sees the midst of. */
  unseen(work: () => Promise<void>): Promise<void>
  /** All that instances have on the host, by its own account. */
  left(): Promise<string[]>
  /** Another runner's driver for the same host. */
  openDriver(): Driver
  request(clean?: CleanState, more?: Partial<Placement>): GuestRequest
}

export const limits = hostLimits({
  start: 5_000,
  shutdown: 5_000,
  destroy: 2_000,
  lookEvery: 10,
  watchEvery: 50,
})

/** An emulated ESXi host with a machine that has a snapshot, another one, and a clean disk. */
export async function startEsxi(
  t: Test,
  more: Partial<EmulatedHostSpec> = {},
  alter: Alter = command => command,
  given = limits,
): Promise<EmulatedEsxi> {
  const guest = { persona: 'debian-12', users }
  const hardware = { vcpus: 1, memoryBytes: 2 ** 28, disk: 'pvscsi', nic: 'vmxnet3' }
  const host = await startEmulatedHost({
    name: 'esx-1',
    persona: 'esxi-8-shell',
    personaFolders: [personaFolder],
    users,
    // Another machine comes first in every list, with a snapshot of the same name.
    vms: [
      { name: 'other', guest, hardware, snapshots: ['sealed'] },
      { name: 'deb', guest, hardware, snapshots: ['first', 'sealed'], images: [cleanDisk] },
    ],
    ...more,
  })
  const folder = await mkdtemp(join(tmpdir(), 'gc-esxi-'))
  await writeFile(join(folder, 'key'), clientKey.private, { mode: 0o600 })
  await mkdir(join(folder, 'evidence'))
  const login: Login = {
    user: 'root',
    key: { kind: 'file', path: join(folder, 'key') },
    algorithms: 'legacy',
    hostKey: { kind: 'pinned', fingerprint: host.machine.hostKeyFingerprint },
  }
  const endpoint = { host: host.machine.host, port: host.machine.port, jumps: [] }
  const open = (signal: AbortSignal): Promise<Machine> =>
    connect({ endpoint, login, label: 'esx-1', limits: connectionLimits(given), signal })
  const own = await open(never)
  const run = async (command: string): Promise<string> => (await own.run(command)).stdout.text
  const direct = await open(never)
  let hidden = Promise.resolve()
  const asked = new Set<Promise<void>>()
  const unseen = async (work: () => Promise<void>): Promise<void> => {
    const before = [...asked]
    hidden = Promise.all(before).then(work)
    await hidden
  }
  const counted = countedMachine({
    label: direct.label,
    hostKey: direct.hostKey,
    lost: direct.lost,
    channels: direct.channels,
    run: async (command, options) => {
      await hidden
      const answer = direct.run(alter(command), options)
      const ended = answer.then(
        () => {},
        () => {},
      )
      asked.add(ended)
      void ended.then(() => asked.delete(ended))
      return answer
    },
    forward: (...given) => direct.forward(...given),
    close: () => direct.close(),
  })
  const drivers: Driver[] = []
  const openDriver = (connectTo: typeof open = open): Driver => {
    const driver = createEsxiDriver({
      host: { id: 'esx-1' },
      limits: given,
      manage: (backend, request) => new ManagedVm(backend, request),
      connect: connectTo,
    })
    drivers.push(driver)
    return driver
  }
  t.teardown(async () => {
    await Promise.all(drivers.map(driver => driver.close()))
    await Promise.all([own.close(), direct.close()])
    await host.close()
    await rm(folder, { recursive: true, force: true })
  })
  return {
    driver: openDriver(async () => counted.machine),
    counted,
    run,
    unseen,
    openDriver: () => openDriver(),
    left: async () => {
      const words = await run(
        'vim-cmd vmsvc/getallvms;ls /vmfs/volumes/datastore1;ls -a "$HOME/.guestcert" 2>/dev/null',
      )
      return [...new Set(words.match(/gc-[\w-]+-e\d+-\d+/g) ?? [])]
    },
    request: (clean = { kind: 'copy', path: cleanDisk }, more = {}) => ({
      instance,
      guest: { id: 'debian' } as Guest,
      placement: {
        host: 'esx-1',
        place: { file: '/lab.yaml', line: 1, column: 1 },
        vm: 'deb',
        clean,
        viaHost: true,
        configuration: { name: 'small', vcpus: 1, memoryBytes: 2 ** 28, disk: 'pvscsi', nic: 'vmxnet3' },
        ...more,
      },
      evidenceFolder: join(folder, 'evidence'),
      limits: defaultLimits,
    }),
  }
}

/** The id of a registered machine. */
export async function idOf({ run }: Pick<EmulatedEsxi, 'run'>, name: string): Promise<string> {
  return (await run(`vim-cmd vmsvc/getallvms|sed -n 's/^\\([0-9]*\\) *${name} .*/\\1/p'`)).trim()
}
