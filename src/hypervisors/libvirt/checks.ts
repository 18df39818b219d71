import { posix } from 'node:path'
import type { Placement } from '../../config/model.js'
import { quote } from '../../remote/index.js'
import type { Check, CheckRequest, Seen } from '../driver.js'
import { capacityChecks, inMib, parseFreeBytes, seenFree, seenIf, seenVersion } from '../seen.js'
import { askOnce } from '../shared/ask-once.js'
import { type CallOptions, hostError, read } from '../shared/host-commands.js'
import { differences } from './declared.js'
import { domainXml, type LibvirtHost, stateOf } from './host.js'
import { parseNodeInfo } from './output.js'
import { findSnapshot } from './snapshots.js'
import { checkName } from './virsh.js'

/** Products whose version is that of the hypervisor, as `virsh version` tells it: `QEMU 7.2.22`. */
const hypervisors: ReadonlyMap<string, string> = new Map([
  ['qemu', 'QEMU'],
  ['xen', 'Xen'],
])

/** What must be well on a libvirt host before its guests are started; none of it changes anything. */
export function libvirtChecks(host: LibvirtHost, request: CheckRequest): Check[] {
  const call = (signal: AbortSignal): CallOptions => {
    return { signal, limit: host.limits.command, where: host.id }
  }
  const { product, version, capacity } = request.host
  const tools = toolsOf(request)
  const readNode = askOnce(async signal =>
    read(parseNodeInfo, await host.virsh.call(['nodeinfo'], call(signal)), host.id),
  )
  const named = hypervisors.get(product)
  return [
    {
      name: 'tools',
      asked: tools.join(', '),
      after: ['login'],
      carryOut: async signal => {
        const command = `for t in ${tools.join(' ')};do command -v $t >/dev/null 2>&1||echo $t;done`
        const missing = (await host.virsh.demand(command, call(signal))).trim().split(/\s+/).join(', ')
        return seenIf(missing === '', missing === '' ? 'all there' : `not installed: ${missing}`)
      },
    },
    {
      name: 'libvirt',
      asked: `an answer from ${host.virsh.uri}`,
      after: ['tools'],
      carryOut: async signal => {
        const { library, hypervisor } = await host.versions(call(signal))
        return seenIf(true, `libvirt ${library}${hypervisor === null ? '' : `, ${hypervisor}`}`)
      },
    },
    ...(named === undefined
      ? []
      : [
          {
            name: 'version',
            asked: `${named} ${version}`,
            after: ['libvirt'],
            carryOut: async (signal: AbortSignal): Promise<Seen> => {
              const { hypervisor } = await host.versions(call(signal))
              const [name, seen] = (hypervisor ?? '').split(' ')
              return name === named
                ? seenVersion(version, seen ?? null)
                : seenIf(false, hypervisor ?? 'no hypervisor is named')
            },
          },
        ]),
    ...capacityChecks(capacity, ['libvirt'], readNode),
    ...request.guests.flatMap(({ placement }) => guestChecks(host, placement, request.freeBytes, call)),
  ]
}

function toolsOf({ guests }: CheckRequest): string[] {
  const overlays = guests.some(({ placement }) => placement.clean.kind === 'overlay')
  return overlays ? ['virsh', 'qemu-img'] : ['virsh']
}

type Call = (signal: AbortSignal) => CallOptions

function guestChecks(host: LibvirtHost, placement: Placement, freeBytes: number, call: Call): Check[] {
  const { clean, configuration } = placement
  const vm = placement.vm ?? ''
  const checks: Check[] = [
    {
      name: 'vm',
      placement,
      asked: `the VM ${vm}, as the lab declares it`,
      after: ['libvirt'],
      carryOut: async signal => {
        const { library } = await host.versions(call(signal))
        checkName(vm, 'domain', host.id, library)
        const state = await stateOf(host, vm, call(signal))
        if (state === null) {
          return seenIf(false, 'there is no such VM')
        }
        const differs = differences(await domainXml(host, vm, 'inactive', call(signal)), configuration)
        return seenIf(differs.length === 0, differs.length === 0 ? state.state : differs.join('; '))
      },
    },
  ]
  if (clean.kind === 'snapshot') {
    checks.push({
      name: 'clean state',
      placement,
      asked: `the snapshot ${clean.name}`,
      after: ['vm'],
      carryOut: async signal => {
        const found = await findSnapshot(host, vm, clean.name, call(signal))
        return seenIf(found !== null, found === null ? 'there is no such snapshot' : 'there')
      },
    })
  }
  if (clean.kind === 'overlay' || clean.kind === 'copy') {
    checks.push(cleanFile(host, placement, clean, call), spaceCheck(host, placement, clean, freeBytes, call))
  }
  return checks
}

interface CleanFile {
  readonly kind: 'overlay' | 'copy'
  readonly path: string
}

function cleanFile(host: LibvirtHost, placement: Placement, { kind, path }: CleanFile, call: Call): Check {
  return {
    name: 'clean state',
    placement,
    asked: `the disk ${path}`,
    after: ['vm'],
    carryOut: async signal => {
      // Whatever runs on a base, it may be asked about: -U of qemu-img is not known everywhere, a read is.
      const look = kind === 'overlay' ? `&&qemu-img info ${quote(path)} >/dev/null` : ''
      const { code, stderr } = await host.virsh.run(`[ -r ${quote(path)} ]${look}`, call(signal))
      return seenIf(code === 0, code === 0 ? 'there' : stderr.trim() || 'there is no such file to read')
    },
  }
}

/** An overlay grows with what its guest writes; a copy is as large as what it is made of. */
function spaceCheck(
  host: LibvirtHost,
  placement: Placement,
  { kind, path }: CleanFile,
  freeBytes: number,
  call: Call,
): Check {
  const folder = posix.dirname(path)
  return {
    name: 'free space',
    placement,
    asked: `${inMib(freeBytes)} for an instance${kind === 'copy' ? ', beside its copy' : ''}`,
    after: ['clean state'],
    carryOut: async signal => {
      const size = kind === 'copy' ? `du -k ${quote(path)}|{ read -r k r;echo $k; }` : 'echo 0'
      const said = await host.virsh.demand(`${size}&&df -Pk ${quote(folder)}`, call(signal))
      const [kib = ''] = said.split('\n')
      const free = parseFreeBytes(said)
      if (free === null || !/^\d+$/.test(kib)) {
        throw hostError(host.id, `df on ${host.id} tells no free space`)
      }
      return seenFree(free, freeBytes + Number(kib) * 1024, folder)
    },
  }
}
