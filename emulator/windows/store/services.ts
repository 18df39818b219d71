import type { WindowsPersona } from '../persona/schema.js'
import { type Circumstances, holds } from '../system/nt.js'

export type ServiceState = 'running' | 'stopped' | 'start-pending' | 'stop-pending' | 'paused'

export interface Service {
  readonly name: string
  readonly display: string
  readonly description: string
  readonly type: 'own' | 'share' | 'kernel' | 'filesystem'
  start: 'boot' | 'system' | 'auto' | 'manual' | 'disabled'
  readonly delayed: boolean
  state: ServiceState
  readonly path: string
  readonly account: string | null
  readonly group: string
  exitCode: number
  readonly accepts: readonly string[]
  /** Of drivers: `YYYY-MM-DD`. */
  readonly linked: string
  /** 0 when it does not run, and of drivers. */
  pid: number
}

/** The services and drivers of a guest in its circumstances: later facts change earlier ones. */
export function makeServices(persona: WindowsPersona, where: Circumstances): Map<string, Service> {
  type Entry = WindowsPersona['services'][number]['list'][number]
  const entries = new Map<string, Entry>()
  for (const group of persona.services) {
    if (!holds(group, where)) continue
    for (const entry of group.list) {
      const key = entry.name.toLowerCase()
      const said = Object.fromEntries(
        Object.entries(entry).filter(([, value]) => value !== undefined),
      ) as Entry
      entries.set(key, { ...entries.get(key), ...said })
    }
  }
  return new Map([...entries].map(([key, entry]) => [key, complete(entry, persona.os.systemRoot)]))
}

function complete(entry: WindowsPersona['services'][number]['list'][number], root: string): Service {
  const type = entry.type ?? 'share'
  const driver = type === 'kernel' || type === 'filesystem'
  const start = entry.start ?? (driver ? 'manual' : 'auto')
  const state =
    entry.state ?? (start === 'disabled' || (start === 'manual' && !driver) ? 'stopped' : 'running')
  const path =
    entry.path ??
    (driver
      ? `${root}\\system32\\drivers\\${entry.name.toLowerCase()}.sys`
      : `${root}\\system32\\svchost.exe -k netsvcs`)
  return {
    name: entry.name,
    display: entry.display ?? entry.name,
    description: entry.description ?? '',
    type,
    start,
    delayed: entry.delayed ?? false,
    state,
    path: path.replaceAll('{root}', root),
    account: entry.account ?? (driver ? null : 'LocalSystem'),
    group: entry.group ?? '',
    exitCode: entry.exitCode ?? (state === 'stopped' ? 1077 : 0),
    accepts: entry.accepts ?? (driver ? ['stop'] : ['stop', 'shutdown']),
    linked: entry.linked ?? '2009-07-14',
    pid: 0,
  }
}

/** Whether it is a driver: `sc query` and Win32_Service leave those out. */
export function isDriver({ type }: Service): boolean {
  return type === 'kernel' || type === 'filesystem'
}
