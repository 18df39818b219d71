import type { Lab } from '../config/model.js'
import type { Plan } from '../plan/types.js'
import { obstacles } from '../remote/index.js'

/**
 * The quick checks before a run: what this machine alone can tell of the hosts and guests of a plan, told as it is
 * found. Nothing is contacted, and the run goes on meanwhile: it judges for itself.
 */
export async function preflight(lab: Lab, plan: Plan, say: (text: string) => void): Promise<void> {
  const used = new Set(plan.environments.flatMap(({ hosts }) => hosts))
  const hosts = [...lab.hosts.values()].flatMap(({ id, connect }) =>
    used.has(id) && connect !== undefined ? [{ label: id, ...connect }] : [],
  )
  const wanted = new Set(plan.environments.map(({ guest }) => guest.id))
  const guests = [...lab.guests.values()].flatMap(({ id, login, emulated, on }) =>
    on.flatMap(({ host, endpoint, viaHost }) =>
      wanted.has(id) && used.has(host) && emulated === undefined && !viaHost && endpoint !== undefined
        ? [{ label: id, endpoint, login }]
        : [],
    ),
  )
  const told = new Set<string>()
  await Promise.all(
    [...hosts, ...guests].map(async planned => {
      for (const text of await obstacles(planned)) {
        if (!told.has(text)) say(text)
        told.add(text)
      }
    }),
  )
}
