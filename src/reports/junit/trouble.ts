import type { EnvironmentState, RunState } from '../../journal/state.js'

/** Trouble that belongs to no test: without a case of its own no dashboard would show it. */
export interface Trouble {
  /** Stable over runs. */
  readonly name: string
  readonly type: string
  readonly message: string
}

/** The suite that such trouble stands in. No suite of tests can have a `/` in its name. */
export const troubleSuite = 'guestcert/trouble'

/** What an environment left behind on hosts. */
export function environmentTrouble({ instances }: EnvironmentState): readonly Trouble[] {
  return instances.flatMap(({ id, host, ended }) =>
    ended === null || ended.kept || ended.orphan === null
      ? []
      : [
          {
            name: `teardown of ${id}`,
            type: 'Infra.LeftBehind',
            message: `instance ${id} left something behind on ${host}: ${ended.orphan}`,
          },
        ],
  )
}

/** What went wrong with the run as a whole: hosts that it lost, and a journal that contradicts itself. */
export function runTrouble({ problems, hostsSetAside }: RunState): readonly Trouble[] {
  return [
    ...hostsSetAside.map(({ host, reason }) => ({
      name: `host ${host}`,
      type: 'Infra.Host',
      message: `host ${host} was set aside for the rest of the run: ${reason}`,
    })),
    ...problems.map((message, index) => ({
      name: `journal ${index + 1}`,
      type: 'Infra.Runner',
      message: `this is a bug in guestcert: ${message}`,
    })),
  ]
}
