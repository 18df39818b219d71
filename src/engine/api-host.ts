import { setTimeout as wait } from 'node:timers/promises'
import type { Host, HostAbility } from '../api/host.js'
import { durationMs } from './api-duration.js'
import { withLimit } from './limit.js'
import type { GuestSession } from './session.js'

/** The host as test modules see it: what its driver can do with this guest. */
export function hostFor(session: GuestSession, signal: AbortSignal): Host {
  const { running, environment, limits, instance } = session.source
  const act = async (
    name: string,
    action: ((signal: AbortSignal) => Promise<void>) | undefined,
  ): Promise<void> => {
    if (action === undefined) {
      throw new TypeError(`the host cannot ${name} ${instance}: the manifest must name what it needs`)
    }
    await withLimit(
      { name: 'command', ms: limits.command, where: `${name} ${instance}`, cause: 'host', signal },
      action,
    )
  }
  const { pause, resume, reset, snapshot, revert } = running
  const offered: readonly [HostAbility, unknown][] = [
    ['pause', pause],
    ['reset', reset],
    ['snapshot', snapshot],
    ['revert', revert],
  ]
  return {
    product: environment.hypervisor.product,
    version: environment.hypervisor.version,
    abilities: new Set(offered.flatMap(([name, action]) => (action === undefined ? [] : [name]))),
    pause: async options => {
      await act('pause', pause?.bind(running))
      if (options !== undefined) {
        await wait(durationMs(options.for), undefined, { signal })
        await act('resume', resume?.bind(running))
      }
    },
    resume: () => act('resume', resume?.bind(running)),
    reset: () => act('reset', reset?.bind(running)),
    snapshot: name =>
      act('snapshot', snapshot === undefined ? undefined : until => snapshot.call(running, name, until)),
    revert: name =>
      act('revert', revert === undefined ? undefined : until => revert.call(running, name, until)),
  }
}
