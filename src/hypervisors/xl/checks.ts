import { quote } from '../../remote/index.js'
import type { Check, CheckRequest } from '../driver.js'
import { capacityChecks, seenIf, seenVersion } from '../seen.js'
import { askOnce } from '../shared/ask-once.js'
import { type CallOptions, read } from '../shared/host-commands.js'
import { type XlHost, xl } from './host.js'
import { parseInfo } from './output.js'

/** The products whose version is Xen's own. */
const named: ReadonlySet<string> = new Set(['xen'])

/** What must be well on a Xen host before its guests are created; none of it changes anything. */
export function xlChecks(host: XlHost, { host: declared, guests }: CheckRequest): Check[] {
  const call = (signal: AbortSignal): CallOptions => {
    return { signal, limit: host.limits.command, where: host.id }
  }
  const readXen = askOnce(async signal =>
    read(parseInfo, await host.shell.demand(xl('info'), call(signal)), host.id),
  )
  return [
    {
      name: 'xen',
      asked: 'an answer from xl or xm',
      after: ['login'],
      carryOut: async signal => {
        const xen = await readXen(signal)
        return seenIf(true, `Xen ${xenVersion(xen)}`)
      },
    },
    ...(named.has(declared.product)
      ? [
          {
            name: 'version',
            asked: `Xen ${declared.version}`,
            after: ['xen'],
            carryOut: async (signal: AbortSignal) =>
              seenVersion(declared.version, xenVersion(await readXen(signal))),
          },
        ]
      : []),
    ...capacityChecks(declared.capacity, ['xen'], async signal => {
      const xen = await readXen(signal)
      return { cpus: Number(xen.get('nr_cpus')), memoryBytes: Number(xen.get('total_memory')) * 2 ** 20 }
    }),
    ...guests.flatMap(({ placement }): Check[] => {
      const { clean } = placement
      if (clean.kind !== 'copy') {
        return []
      }
      return [
        {
          name: 'clean state',
          placement,
          asked: `the disk ${clean.path}`,
          after: ['xen'],
          carryOut: async signal => {
            const { code, stderr } = await host.shell.run(`[ -r ${quote(clean.path)} ]`, call(signal))
            return seenIf(code === 0, code === 0 ? 'there' : stderr.trim() || 'there is no such file to read')
          },
        },
      ]
    }),
  ]
}

function xenVersion(info: ReadonlyMap<string, string>): string {
  return `${info.get('xen_major')}.${info.get('xen_minor')}${info.get('xen_extra') ?? ''}`
}
