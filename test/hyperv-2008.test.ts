import { join } from 'node:path'
import t, { type Test } from 'tap'
import { InfraError } from '../src/config/errors.js'
import { defaultLimits } from '../src/config/limits.js'
import type { Guest } from '../src/config/model.js'
import { contract, type Subject } from '../src/hypervisors/contract.test.fixture.js'
import type { GuestRequest } from '../src/hypervisors/driver.js'
import type { HyperVMachine } from '../src/hypervisors/hyperv/ask.js'
import { createHyperVDriver } from '../src/hypervisors/hyperv/driver.js'
import { openScript } from '../src/hypervisors/hyperv/v1/ask.js'
import { HostConnection } from '../src/hypervisors/shared/connection.js'
import { openHyperVMachine, startHyperVHost, vms } from './hyperv-host.js'

/** The driver for Hyper-V of 2008 and 2008 R2 on emulated hosts, over SSH. */
t.setTimeout(240_000)
const never = new AbortController().signal
const instance = 'gc-20260101-000000-abcd-e1-1'
const disk = 'D:\\clean\\rhel5.vhd'
const oldVms: typeof vms = [
  {
    name: 'rhel5',
    guest: { persona: 'rhel-5.11', users: vms[0]?.guest.users ?? [] },
    hardware: { vcpus: 1, memoryBytes: 2 ** 28, generation: 1, disk: 'ide', nic: 'synthetic' },
    images: [disk],
  },
]

async function openSubject(t: Test, persona: string, version: string): Promise<Subject> {
  const started = await startHyperVHost(t, { persona, vms: oldVms })
  const { host, keyPath } = started
  const before = host.account?.() ?? []
  let listener = (_: number): void => {}
  let [heard, toRefuse] = [0, 0]
  const open = async (): Promise<HyperVMachine> => {
    const machine = await openHyperVMachine(started)
    return {
      label: machine.label,
      hostKey: machine.hostKey,
      lost: machine.lost,
      channels: machine.channels,
      run: async (command, options) => {
        heard += 1
        listener(heard)
        toRefuse -= 1
        if (toRefuse === 0) {
          throw new InfraError('refused by the test', { cause: 'host', where: 'hv-1', code: 'command' })
        }
        return machine.run(command, options)
      },
      forward: (to, port) => machine.forward(to, port),
      close: () => machine.close(),
      askHost: (request, options) => machine.askHost(request, options),
      temporaryFolder: () => machine.temporaryFolder(),
      writeFile: (path, content) => machine.writeFile(path, content),
    }
  }
  const limits = { lookEvery: 20, watchEvery: 200, shutdown: 20_000 }
  const driver = createHyperVDriver({
    host: { id: 'hv-1', product: 'hyper-v', version, limits },
    connect: open,
  })
  t.teardown(() => driver.close())
  const behind = new HostConnection('hv-1', () => openHyperVMachine(started))
  t.teardown(() => behind.close())
  const { ask } = openScript(behind, 'hv-1')
  const call = { signal: never, limit: { name: 'test', ms: 60_000 }, where: 'hv-1' }
  const tell = async (text: 'turnOff' | 'start'): Promise<void> => {
    const { id } = (await ask('list', [], call)).find(({ name }) => name === instance) ?? {}
    await ask(text, [String(id)], call)
  }
  const request: GuestRequest = {
    instance,
    guest: { id: 'rhel5', product: 'rhel', version: '5.11' } as Guest,
    placement: {
      host: 'hv-1',
      place: { file: '/lab.yaml', line: 1, column: 1 },
      vm: 'rhel5',
      clean: { kind: 'overlay', path: disk },
      viaHost: true,
      configuration: { name: 'test', generation: 1, disk: 'ide', nic: 'synthetic' },
    },
    evidenceFolder: join(keyPath, '../evidence'),
    limits: defaultLimits,
  }
  return {
    driver,
    request,
    left: async () => (host.account?.() ?? []).filter(name => !before.includes(name)),
    onCommand: told => {
      heard = 0
      listener = told
    },
    refuse: number => {
      toRefuse = number
    },
    end: () => tell('turnOff'),
    showsRestarts: false,
    restart: async () => {
      await tell('turnOff')
      await tell('start')
    },
  }
}

contract(t, 'an emulated Hyper-V 2008 R2', t => openSubject(t, 'hyper-v-2008-r2', '2008 R2'))
