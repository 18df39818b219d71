import { posix } from 'node:path'
import { quote } from '../../remote/index.js'
import type { GuestRequest } from '../driver.js'
import { awaitSent } from '../managed-vm/await-state.js'
import { isDown } from '../managed-vm/observation.js'
import { newClaim, runnerName, writeClaim } from '../shared/claims.js'
import { type CallOptions, hostError, refused } from '../shared/host-commands.js'
import { parseVmx, type Vmx, vmxText } from '../shared/vmx.js'
import { differences, factsOf } from '../shared/vmx-hardware.js'
import { demanded, say, type VmrunHost, vmrun } from './host.js'
import { fileOfInstance, removeInstance } from './instances.js'
import { demandSnapshot, revertTo } from './snapshots.js'
import { callOf, type VmPlace, vmrunVm } from './vm.js'

/** A machine that a lab names, and its configuration. */
export interface DeclaredVm {
  readonly place: VmPlace
  readonly facts: Readonly<Record<string, string>>
}

/** Finds the machine that a lab names, which must be as it declares it. */
export async function findDeclared(
  host: VmrunHost,
  { instance, placement }: Pick<GuestRequest, 'instance' | 'placement'>,
  call: CallOptions,
): Promise<DeclaredVm> {
  const { vm = '', configuration } = placement
  const { stdout, code } = await host.shell.run(`readlink -f ${quote(vm)}`, call)
  const place: VmPlace = { host, instance, file: code === 0 ? stdout.text.replace(/\n$/, '') : vm }
  const { power } = await vmrunVm(place).observe({ devices: false }, call.signal)
  if (power === 'absent') {
    throw hostError(instance, `${instance} on ${host.id}: there is no configuration ${vm}`)
  }
  const vmx = await readVmx(place, call)
  const differs = differences(vmx, configuration)
  if (differs.length > 0) {
    throw refused(instance, `the VM ${vm} is not as the lab declares it: ${differs.join('; ')}`)
  }
  const name = vmx.get('displayname') ?? posix.basename(place.file, '.vmx')
  return { place, facts: factsOf(name, vmx) }
}

/** Brings an instance to its clean state; `place` says afterwards which machine it is. Gives facts of it. */
export async function prepareInstance(
  place: VmPlace,
  { instance, placement }: Pick<GuestRequest, 'instance' | 'placement'>,
  signal: AbortSignal,
): Promise<Record<string, string>> {
  const { host } = place
  const { clean } = placement
  const call = callOf(place, host.limits.command, signal)
  const { place: source, facts } = await findDeclared(host, { instance, placement }, call)
  if (clean.kind === 'none') {
    place.file = source.file
    return { ...facts }
  }
  const name = clean.kind === 'snapshot' ? clean.name : clean.path
  await demandSnapshot(source, name, signal)
  const image = { 'image snapshot': name }
  if (clean.kind === 'snapshot') {
    place.file = source.file
    await writeClaim(host.shell, newClaim(instance, place.file), call)
    const vm = vmrunVm(place)
    await awaitSent(vm, vm.kill(signal), signal)
    await revertTo(place, name, signal)
    // A snapshot with its memory would go on where it was taken, and not boot.
    await awaitSent(vm, vm.kill(signal), signal)
    return { ...facts, ...image }
  }
  // What an earlier try left is in the way.
  await removeInstance(host, instance, call)
  await makeClone(place, { source, snapshot: name, how: clean.kind === 'copy' ? 'full' : 'linked' }, signal)
  return { ...facts, ...image }
}

interface CloneRequest {
  readonly source: VmPlace
  readonly snapshot: string
  readonly how: 'full' | 'linked'
}

/** Makes a machine of the instance's own, off, in a folder of its own beside that of the one that it is made after. */
async function makeClone(
  place: VmPlace,
  { source, snapshot, how }: CloneRequest,
  signal: AbortSignal,
): Promise<void> {
  const { host, instance } = place
  const { shell, limits } = host
  const seen = await vmrunVm(source).observe({ devices: false }, signal)
  if (!isDown(seen)) {
    throw hostError(
      instance,
      `${instance} on ${host.id}: the VM ${source.file} is ${seen.said}: a clone is made of one that is off`,
    )
  }
  const quick = callOf(place, limits.command, signal)
  place.file = fileOfInstance(source.file, instance)
  // By it a folder is found whose making was cut off.
  await writeClaim(shell, { ...newClaim(instance, instance), definition: place.file }, quick)
  const words = [source.file, place.file, how, `-snapshot=${snapshot}`, `-cloneName=${instance}`]
  const command = vmrun('clone', ...words)
  const call = callOf(place, limits.storage, signal)
  demanded(shell, command, await say(shell, command, call), call)
  const text = vmxText(cloned(await readVmx(place, quick), instance))
  const file = quote(place.file)
  await shell.demand(`cat >${file}.new&&mv ${file}.new ${file}`, { ...quick, stdin: Buffer.from(text) })
}

/** The configuration of a clone, which asks nobody anything: vmrun would wait for an answer. */
function cloned(vmx: Vmx, instance: string): Vmx {
  return new Map([
    ...vmx,
    ['displayname', instance],
    ['annotation', `guestcert: instance ${instance}, made by ${runnerName()}`],
    ['uuid.action', 'create'],
    ['msg.autoanswer', 'TRUE'],
  ])
}

async function readVmx({ host, file }: VmPlace, call: CallOptions): Promise<Vmx> {
  return parseVmx(await host.shell.demand(`cat ${quote(file)}`, call))
}
