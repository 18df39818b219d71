import { posix } from 'node:path'
import { quote } from '../../remote/index.js'
import { type CallOptions, hostError, read, refused } from '../shared/host-commands.js'
import { UnknownOutput } from '../shared/unknown-output.js'
import { type Vmx, vmxText } from '../shared/vmx.js'
import { askAll, demanded, type EsxiHost, vimCmd } from './host.js'
import { callOf, type VmPlace } from './vm.js'
import { instanceVmx } from './vmx.js'
import { refusalOf } from './words.js'

export interface CopyRequest {
  /** The machine that it is made after. */
  readonly source: VmPlace
  readonly vmx: Vmx
  /** The disk that is copied: an absolute path on the host. */
  readonly disk: string
}

/**
 * Makes a machine of the instance's own, off, in a folder of its own beside the one that it is made after, and says in
 * `place` which one it is. ESXi itself cannot clone: its disk is copied whole, and the copy registered.
 */
export async function makeCopy(
  place: VmPlace,
  { source, vmx, disk }: CopyRequest,
  signal: AbortSignal,
): Promise<void> {
  const { host, instance } = place
  const datastore = /^\[(.+?)\]/.exec(source.file)?.[1] ?? ''
  const folder = posix.join(posix.dirname(posix.dirname(source.path)), instance)
  const quick = callOf(place, host.limits.command, signal)
  const own = `${instance}.vmdk`
  const text = ((): string => {
    try {
      return vmxText(instanceVmx(vmx, { instance, disk: own }))
    } catch (error) {
      throw refused(instance, `the VM ${source.file} cannot be copied: ${(error as Error).message}`)
    }
  })()
  await host.shell.demand(`mkdir ${quote(folder)}`, quick)
  const copy = `vmkfstools -i ${quote(disk)} ${quote(posix.join(folder, own))} -d thin`
  await carriedOut(host, copy, callOf(place, host.limits.storage, signal))
  const path = posix.join(folder, `${instance}.vmx`)
  await host.shell.demand(`cat >${quote(path)}`, { ...quick, stdin: Buffer.from(text) })
  const said = await carriedOut(host, vimCmd('solo/registervm', path), quick)
  place.vmid = read(parseId, said, host.id)
  place.file = `[${datastore}] ${instance}/${instance}.vmx`
  place.path = path
}

/** What says which content a disk has: VMware's own id of it, which changes with the first write to it. */
export async function diskFacts(
  { host }: VmPlace,
  disk: string,
  call: CallOptions,
): Promise<Record<string, string>> {
  const { stdout, code } = await host.shell.run(`head -c 4096 ${quote(disk)}`, call)
  if (code !== 0) {
    throw hostError(call.where, `${call.where} on ${host.id}: there is no disk ${disk}`)
  }
  const long = /^ddb\.longContentID = "([0-9a-f]{32})"/m.exec(stdout.text)?.[1]
  const content = long ?? /^CID=([0-9a-f]{8})/m.exec(stdout.text)?.[1]
  return { 'image files': disk, ...(content === undefined ? {} : { 'image content id': content }) }
}

async function carriedOut(host: EsxiHost, command: string, call: CallOptions): Promise<string> {
  const [said] = await askAll(host, [command], call)
  const fault = said === undefined ? null : refusalOf(said)
  if (fault !== null) {
    throw hostError(call.where, `${call.where} on ${host.id}: ${command}: ${fault.text}`)
  }
  return demanded(host, command, said, call)
}

function parseId(text: string): string {
  const id = /^(\d+)\s*$/m.exec(text)?.[1]
  if (id === undefined) {
    throw new UnknownOutput('the id of a registered machine', text.trim())
  }
  return id
}
