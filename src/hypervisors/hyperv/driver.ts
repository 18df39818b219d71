import { win32 } from 'node:path'
import { InfraError } from '../../config/errors.js'
import type { GivenHostLimits } from '../../config/host-limits.js'
import type { Host } from '../../config/model.js'
import { connect, type LeaseQuestion, openWindows, WindowsMachine } from '../../remote/index.js'
import type { Driver } from '../driver.js'
import { connectionLimits, hostLimits } from '../limit.js'
import { ManagedVm } from '../managed-vm.js'
import { HostConnection } from '../shared/connection.js'
import type { CallOptions } from '../shared/host-commands.js'
import { loginOf } from '../shared/login.js'
import { askOver, type HyperVMachine } from './ask.js'
import { type Below, hyperVBackend } from './backend.js'
import { hyperVChecks } from './checks.js'
import { factsFor, productOf } from './facts.js'
import { createHyperVHost, type HyperVHost } from './host.js'
import { listInstances, removeInstance } from './instances.js'
import { readRow } from './output.js'
import { abilitiesOf, isScripted, versionOfBuild } from './releases.js'
import { openScript } from './v1/ask.js'

export interface HyperVDriverOptions {
  readonly host: Pick<Host, 'id' | 'product' | 'version' | 'connect' | 'limits'>
  /** Opens the connection in another way than the lab says. */
  readonly connect?: (signal: AbortSignal) => Promise<HyperVMachine>
}

/** The first text waits for PowerShell and for the module to be loaded; each look is several cmdlets. */
const ownLimits: GivenHostLimits = {
  firstCommand: 60_000,
  command: 60_000,
  shutdown: 120_000,
  destroy: 60_000,
  evidence: 60_000,
  silence: 120_000,
  watchEvery: 5_000,
  lookEvery: 1_000,
}

/** Guests of a Hyper-V host, spoken to over one SSH connection: its PowerShell, or cscript on 2008 and 2008 R2. */
export function createHyperVDriver(options: HyperVDriverOptions): Driver {
  const { id, version: declared } = options.host
  const limits = hostLimits(options.host.limits, ownLimits)
  const connection = new HostConnection(
    id,
    options.connect ?? (signal => connectToHost(options.host, signal)),
  )
  const scripted = isScripted(declared) ? openScript(connection, id) : null
  const host = createHyperVHost(
    id,
    { connection, ask: scripted?.ask ?? askOver(connection, id), isScripted: scripted !== null },
    limits,
  )
  const made = new Set<ManagedVm>()
  const callFor = (signal: AbortSignal, where = id): CallOptions => {
    return { signal, limit: limits.command, where }
  }
  return {
    name: 'hyperv',
    abilities: placement => abilitiesOf(placement, declared),
    machine: signal => connection.machine(signal),
    checks: request => hyperVChecks(host, request),
    facts: async signal => {
      const facts = await host.facts(callFor(signal))
      return { ...productOf(facts), ...factsFor(facts) }
    },
    instance: request => {
      const below = async (signal: AbortSignal): Promise<Below> => {
        const facts = await host.facts(callFor(signal))
        const version = versionOfBuild(facts.build)
        if (version === null) {
          throw trouble(id, `${facts.product}, build ${facts.build}, is older than Windows Server 2008`)
        }
        if (isScripted(version) !== host.isScripted) {
          throw trouble(id, `the lab declares Hyper-V ${declared}, and it is ${version}`)
        }
        return {
          abilities: abilitiesOf(request.placement, version),
          facts: factsFor(facts),
          folder: facts.folder,
        }
      }
      const managed = new ManagedVm(hyperVBackend({ host, request, below }), request)
      made.add(managed)
      return managed
    },
    leftovers: signal => listInstances(host, callFor(signal)),
    clean: (name, signal) => removeInstance(host, name, callFor(signal, name)),
    shell: async signal => {
      const machine = await connection.machine(signal)
      return {
        label: machine.label,
        run: (command, given) => machine.run(command, given),
        lease: (question, given) => askForLease(host, question, given),
      }
    },
    close: async () => {
      host.watch.close()
      for (const prepared of made) {
        prepared.release()
      }
      await scripted?.close()
      await connection.close()
    },
  }
}

/** The lease stands in a folder of the name that a POSIX host has for it. */
async function askForLease(
  host: HyperVHost,
  { what, folder, id, ttlSec, everySec, mine, about }: LeaseQuestion,
  { signal, limitMs }: { readonly signal: AbortSignal; readonly limitMs: number },
): Promise<string> {
  const name = folder.split('/').at(-1) ?? folder
  const args = [what, win32.basename(name), id, String(ttlSec), String(everySec), mine, about.join('\n')]
  const limit = { name: 'command', ms: limitMs }
  return readRow('text', await host.ask('lease', args, { signal, limit, where: host.id })).text
}

async function connectToHost(
  host: HyperVDriverOptions['host'],
  signal: AbortSignal,
): Promise<WindowsMachine> {
  const { endpoint, login } = loginOf(host, 'hyperv')
  const mark = `guestcert/${host.id}`
  const machine = await connect(
    { endpoint, login, label: host.id, limits: connectionLimits(hostLimits(host.limits, ownLimits)), signal },
    { mark, become: ssh => openWindows(ssh, { mark, signal }) },
  )
  if (!(machine instanceof WindowsMachine)) {
    await machine.close()
    throw trouble(host.id, 'it is not a Windows host')
  }
  return machine
}

function trouble(where: string, why: string): InfraError {
  return new InfraError(`${where}: ${why}`, { cause: 'runner', where, code: 'driver' })
}
