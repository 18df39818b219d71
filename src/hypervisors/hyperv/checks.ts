import type { Check, CheckRequest } from '../driver.js'
import { capacityChecks, seenFree, seenIf } from '../seen.js'
import type { CallOptions } from '../shared/host-commands.js'
import { differences, instancesFolder } from './clone.js'
import { findMachine, type HyperVHost } from './host.js'
import { readRow } from './output.js'
import { fullVersionOfBuild, releaseOf, versionOfBuild } from './releases.js'
import { namesOf } from './snapshots.js'
import { lookAt } from './vm.js'

/** What must be well on a Hyper-V host before its guests are made; none of it changes anything. */
export function hyperVChecks(host: HyperVHost, { host: declared, guests, freeBytes }: CheckRequest): Check[] {
  const call = (signal: AbortSignal): CallOptions => {
    return { signal, limit: host.limits.command, where: host.id }
  }
  const clones = guests.some(({ placement: { clean } }) => clean.kind === 'overlay' || clean.kind === 'copy')
  return [
    {
      name: 'hyper-v',
      asked: host.isScripted
        ? 'an answer from root\\virtualization, through cscript'
        : 'an answer from the Hyper-V module of PowerShell',
      after: ['login'],
      carryOut: async signal => {
        const { product, build } = await host.facts(call(signal))
        return seenIf(true, `${product}, build ${build}`)
      },
    },
    {
      name: 'version',
      asked: `Hyper-V ${declared.version}`,
      after: ['hyper-v'],
      carryOut: async signal => {
        const { build } = await host.facts(call(signal))
        const version = versionOfBuild(build)
        return seenIf(version === releaseOf(declared.version), fullVersionOfBuild(build) ?? `build ${build}`)
      },
    },
    ...capacityChecks(declared.capacity, ['hyper-v'], async signal => {
      const { cpus, memory } = await host.facts(call(signal))
      return { cpus, memoryBytes: memory }
    }),
    ...(clones
      ? [
          {
            name: 'free space',
            asked: 'room for the disks of instances',
            after: ['hyper-v'],
            carryOut: async (signal: AbortSignal) => {
              const { folder } = await host.facts(call(signal))
              const { bytes } = readRow('space', await host.ask('space', [folder], call(signal)))
              return seenFree(bytes, freeBytes, instancesFolder(folder))
            },
          },
        ]
      : []),
    ...guests.flatMap(({ placement }): Check[] => [
      {
        name: 'virtual machine',
        placement,
        asked: `the virtual machine ${placement.vm}, as the lab declares it`,
        after: ['hyper-v'],
        carryOut: async signal => {
          const listed = await findMachine(host, placement.vm ?? '', call(signal))
          const looked = listed && (await lookAt({ host, instance: host.id, id: listed.id }, call(signal)))
          if (looked === null) {
            return seenIf(false, 'there is none of that name')
          }
          const differs = differences(looked, placement.configuration)
          return seenIf(differs.length === 0, differs.join('; ') || `there, ${looked.state}`)
        },
      },
      {
        name: 'clean state',
        placement,
        asked: cleanStateOf(placement),
        after: ['virtual machine'],
        carryOut: async signal => {
          const { clean } = placement
          if (clean.kind === 'snapshot') {
            const listed = await findMachine(host, placement.vm ?? '', call(signal))
            const place = { host, instance: host.id, id: listed?.id ?? null }
            const names = [...(await namesOf(place, signal)).keys()]
            return seenIf(names.includes(clean.name), `checkpoints: ${names.join(', ') || 'none'}`)
          }
          if (clean.kind === 'overlay' || clean.kind === 'copy') {
            const { exists } = readRow('exists', await host.ask('exists', [clean.path], call(signal)))
            return seenIf(exists, exists ? 'there' : 'there is no such file')
          }
          return seenIf(true, 'used as it is')
        },
      },
    ]),
  ]
}

function cleanStateOf({ clean }: CheckRequest['guests'][number]['placement']): string {
  switch (clean.kind) {
    case 'snapshot':
      return `the checkpoint ${clean.name}`
    case 'overlay':
    case 'copy':
      return `the disk ${clean.path}`
    default:
      return 'none: the machine is used as it is'
  }
}
