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
import { createVmrunDriver } from './driver.js'

export const never: AbortSignal = new AbortController().signal
export const instance = 'gc-20260101-000000-abcd-e1-1'
/** A blank and a quote: paths on these hosts are people's own. */
export const folder = "/home/lab/vmware/Bob's machines"
export const vmFile = `${folder}/deb/deb.vmx`
export const ownFile = `${folder}/${instance}/${instance}.vmx`

const users = [{ name: 'root', authorizedKeys: [clientKey.public] }]

/** What the test does to a command before the host has it. */
export type Alter = (command: string) => string

export interface EmulatedWorkstation {
  readonly driver: Driver
  readonly counted: ReturnType<typeof countedMachine>
  /** Runs a command on the host behind the driver's back, and gives what it prints. */
  run(command: string): Promise<string>
  /** All that instances have on the host, by its own account. */
  left(): Promise<string[]>
  /** Another runner's driver for the same host. */
  openDriver(): Driver
  request(clean?: CleanState, more?: Partial<Placement>): GuestRequest
}

const limits = hostLimits({
  start: 5_000,
  shutdown: 5_000,
  destroy: 2_000,
  lookEvery: 10,
  watchEvery: 50,
})

/** An emulated host with two machines that have snapshots of the same name. */
export async function startWorkstation(
  t: Test,
  more: Partial<EmulatedHostSpec> = {},
  alter: Alter = command => command,
): Promise<EmulatedWorkstation> {
  const guest = { persona: 'debian-12', users }
  const hardware = { vcpus: 1, memoryBytes: 2 ** 28, disk: 'pvscsi', nic: 'vmxnet3' }
  const host = await startEmulatedHost({
    name: 'ws-1',
    persona: 'workstation-17',
    personaFolders: [personaFolder],
    users,
    vms: [
      { name: `${folder}/other/other.vmx`, guest, hardware, snapshots: ['sealed'] },
      { name: vmFile, guest, hardware, snapshots: ['first', 'sealed'] },
    ],
    ...more,
  })
  const home = await mkdtemp(join(tmpdir(), 'gc-vmrun-'))
  await writeFile(join(home, 'key'), clientKey.private, { mode: 0o600 })
  await mkdir(join(home, 'evidence'))
  const login: Login = {
    user: 'root',
    key: { kind: 'file', path: join(home, 'key') },
    algorithms: 'modern',
    hostKey: { kind: 'pinned', fingerprint: host.machine.hostKeyFingerprint },
  }
  const endpoint = { host: host.machine.host, port: host.machine.port, jumps: [] }
  const open = (signal: AbortSignal): Promise<Machine> =>
    connect({ endpoint, login, label: 'ws-1', limits: connectionLimits(limits), signal })
  const own = await open(never)
  const run = async (command: string): Promise<string> => (await own.run(command)).stdout.text
  const direct = await open(never)
  const counted = countedMachine({
    label: direct.label,
    hostKey: direct.hostKey,
    lost: direct.lost,
    channels: direct.channels,
    run: (command, options) => direct.run(alter(command), options),
    forward: (...given) => direct.forward(...given),
    close: () => direct.close(),
  })
  const drivers: Driver[] = []
  const openDriver = (connectTo: typeof open = open): Driver => {
    const driver = createVmrunDriver({
      host: { id: 'ws-1' },
      limits,
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
    await rm(home, { recursive: true, force: true })
  })
  return {
    driver: openDriver(async () => counted.machine),
    counted,
    run,
    openDriver: () => openDriver(),
    left: async () => {
      const words = await run(`vmrun -T ws list;ls "${folder}";ls -a "$HOME/.guestcert" 2>/dev/null`)
      return [...new Set(words.match(/gc-[\w-]+-e\d+-\d+/g) ?? [])]
    },
    request: (clean = { kind: 'overlay', path: 'sealed' }, placed = {}) => ({
      instance,
      guest: { id: 'debian' } as Guest,
      placement: {
        host: 'ws-1',
        place: { file: '/lab.yaml', line: 1, column: 1 },
        vm: vmFile,
        clean,
        viaHost: true,
        configuration: { name: 'small', vcpus: 1, memoryBytes: 2 ** 28, disk: 'pvscsi', nic: 'vmxnet3' },
        ...placed,
      },
      evidenceFolder: join(home, 'evidence'),
      limits: defaultLimits,
    }),
  }
}
