import { posix } from 'node:path'
import { quote } from '../../remote/index.js'
import type { Leftover } from '../driver.js'
import { awaitSent } from '../managed-vm/await-state.js'
import { giveBack } from '../managed-vm/give-back.js'
import { isDown } from '../managed-vm/observation.js'
import { type Claim, listClaims, removeClaim } from '../shared/claims.js'
import { type CallOptions, hostError } from '../shared/host-commands.js'
import { readInstanceName } from '../shared/names.js'
import { demandOf, listRunning, say, type VmrunHost, vmrun } from './host.js'
import { faultOf, parseRunning } from './output.js'
import { createSnapshots } from './snapshots.js'
import { callOf, type VmPlace, vmrunVm } from './vm.js'

/** Where an instance's own configuration lies: in a folder of its own, beside that of the machine it is made after. */
export function fileOfInstance(source: string, instance: string): string {
  return posix.join(posix.dirname(posix.dirname(source)), instance, `${instance}.vmx`)
}

/**
 * Every instance on the host, whoever's run it was. vmrun lists only what runs: an instance is written down in the home folder
 * of whoever logs in, from before it is made until it is gone.
 */
export async function listInstances(host: VmrunHost, call: CallOptions): Promise<Leftover[]> {
  const claims = new Map((await listClaims(host.shell, call)).map(claim => [claim.instance, claim]))
  const running = await demandOf(host.shell, listRunning, parseRunning, call)
  const found: Leftover[] = []
  for (const name of new Set([...claims.keys(), ...running.map(nameOf)])) {
    const parts = readInstanceName(name)
    if (parts !== null) {
      const claim = claims.get(name)
      const file = fileOf(claim) ?? running.find(each => nameOf(each) === name) ?? ''
      const { power, said } = await vmrunVm({ host, instance: name, file }).observe(
        { devices: false },
        call.signal,
      )
      const shared = claim !== undefined && claim.vm !== name
      const state = power === 'absent' ? 'files without a VM' : `a VM (${said})`
      const what = shared ? `the VM ${file}, ${power === 'absent' ? 'not there' : said}` : state
      const kept = claim?.kept === true && power !== 'absent'
      found.push({ name, run: parts.run, what, shared, kept })
    }
  }
  return found
}

/** Ends an instance and removes all that was made for it; again, if need be. Throws when something is left. */
export async function removeInstance(host: VmrunHost, name: string, call: CallOptions): Promise<void> {
  if (readInstanceName(name) === null) {
    return
  }
  const claim = (await listClaims(host.shell, call)).find(({ instance }) => instance === name)
  if (claim !== undefined && claim.vm !== name) {
    await releaseVm(host, claim, call)
  } else {
    const running = await demandOf(host.shell, listRunning, parseRunning, call)
    const file = fileOf(claim) ?? running.find(each => nameOf(each) === name)
    if (file !== undefined) {
      await removeOwn({ host, instance: name, file }, call)
    }
  }
  await removeClaim(host.shell, name, call)
}

/** Gives back a VM that an instance was itself. */
async function releaseVm(host: VmrunHost, { instance, vm, found }: Claim, call: CallOptions): Promise<void> {
  const place: VmPlace = { host, instance, file: vm }
  const machine = vmrunVm(place)
  if (found === undefined) {
    await awaitSent(machine, machine.kill(call.signal), call.signal)
    // Those that were taken since would grow with every instance.
    await createSnapshots(place).drop([], call.signal)
    return
  }
  await giveBack({ ...machine, dropSnapshots: createSnapshots(place).drop }, found, call.signal)
}

/** A machine of an instance's own is ended and deleted, and what vmrun leaves of its folder removed. */
async function removeOwn(place: VmPlace, call: CallOptions): Promise<void> {
  const { host, instance, file } = place
  const { shell, limits } = host
  const vm = vmrunVm(place)
  await awaitSent(vm, vm.kill(call.signal), call.signal)
  const storing = callOf(place, limits.storage, call.signal)
  const seen = await vm.observe({ devices: false }, call.signal)
  const fault = seen.power === 'absent' ? null : faultOf(await say(shell, vmrun('deleteVM', file), storing))
  const folder = posix.dirname(file)
  // Only one that bears the instance's name is its own.
  if (posix.basename(folder) === instance) {
    await shell.demand(`rm -rf ${quote(folder)}`, storing)
  }
  const left = await vm.observe({ devices: false }, call.signal)
  if (!isDown(left) || left.power !== 'absent') {
    throw hostError(
      instance,
      `${instance} on ${host.id}: it is still there: ${file} is ${left.said}: ${fault ?? 'no reason'}`,
    )
  }
}

/** The configuration that a claim speaks of. */
function fileOf(claim: Claim | undefined): string | undefined {
  return claim === undefined || claim.vm !== claim.instance ? claim?.vm : claim.definition
}

function nameOf(file: string): string {
  return posix.basename(posix.dirname(file))
}
