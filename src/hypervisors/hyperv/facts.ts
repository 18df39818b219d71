import type { Read } from './output.js'
import { fullVersionOfBuild } from './releases.js'

/** What a host says that it is, for people and the journal. */
export function factsFor(facts: Read<'facts'>): Record<string, string> {
  const { product, build, revision, name, cpus, memory, cpu, machine, firmware } = facts
  const known: Readonly<Record<string, string | null>> = {
    hypervisor: `Hyper-V ${fullVersionOfBuild(build) ?? '(unknown version)'}`,
    'host product': product,
    'host build': revision === null ? String(build) : `${build}.${revision}`,
    'host name': name,
    'host machine': machine,
    'host firmware': firmware,
    'host cpu': cpu,
    'host cpus': String(cpus),
    'host memory': `${Math.floor(memory / 2 ** 20)} MiB`,
  }
  return Object.fromEntries(
    Object.entries(known).flatMap(([key, value]) => {
      const text = value?.trim() ?? ''
      return text === '' ? [] : [[key, text]]
    }),
  )
}

/** Which product and version of a lab's a host is; none for a Windows that is not a server. */
export function productOf({ product, build }: Read<'facts'>): Record<string, string> {
  const isBare = /^(Microsoft )?Hyper-V Server/.test(product)
  const version = fullVersionOfBuild(build)
  return version === null || !/Server/.test(product)
    ? {}
    : { product: isBare ? 'hyper-v-server' : 'hyper-v', version }
}
