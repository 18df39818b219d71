import type { Read } from './output.js'
import { versionOfBuild } from './releases.js'

/** What a host says that it is, for people and the journal. */
export function factsFor(facts: Read<'facts'>): Record<string, string> {
  const { product, build, revision, name, cpus, memory, cpu, machine, firmware } = facts
  const version = versionOfBuild(build)
  const known: Readonly<Record<string, string | null>> = {
    hypervisor: `Hyper-V ${version ?? '(unknown version)'}`,
    'hyper-v version': version,
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
