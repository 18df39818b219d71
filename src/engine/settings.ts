import type { Host, Lab } from '../config/model.js'
import type { Driver } from '../hypervisors/driver.js'
import type { Leases } from '../hypervisors/lease.js'
import type { connectToGuest } from '../hypervisors/reach.js'
import type { EventBody } from '../journal/events.js'
import type { Suite } from '../plan/suite.js'
import type { Plan } from '../plan/types.js'
import type { Redactor } from '../text/redactor.js'
import type { History } from './estimate.js'
import type { ModuleHosts } from './modules/hosts.js'
import type { LeftEnvironment } from './resumed.js'

/** Takes what the engine learns. It returns at once: writing it down is the journal's work. */
export type Emit = (event: EventBody) => void

/** Which instances are left running for a person to look at. */
export type Keep = 'never' | 'failed' | 'always'

/** All that the engine needs to carry a plan out; it knows nothing else of the process around it. */
export interface RunSettings {
  readonly plan: Plan
  readonly lab: Lab
  readonly suites: ReadonlyMap<string, Suite>
  /** The run's id: instances and marks are named after it. */
  readonly run: string
  /** Absolute. */
  readonly folder: string
  readonly driverOf: (host: Host) => Driver
  readonly emit: Emit
  /** Keeps the lab's secrets out of evidence. */
  readonly redactor: Redactor
  /** How guests are connected to: over SSH when absent. */
  readonly connect?: typeof connectToGuest
  /** Keeps machines ours while we use them. */
  readonly leases: Leases
  /** Where test modules run. */
  readonly modules: ModuleHosts
  /** Modules wait for a debugger, and no limit ends them: it is told where each is reached. */
  readonly inspect?: (test: string, url: string) => void
  readonly keep: Keep
  /** What earlier sessions of the run have left, by environment; absent in its first session. */
  readonly left?: ReadonlyMap<string, LeftEnvironment>
  /** Environments at once, over all hosts. */
  readonly parallel: number
  readonly retries: number
  /** How long things took in earlier runs. */
  readonly history: History
  /** Once aborted, nothing new is begun; what runs is ended and undone. */
  readonly drain: AbortSignal
  /** Once aborted, everything stops now. */
  readonly stop: AbortSignal
  /** Aborts when the run has reached its limit: what is under way ends with that as the reason, and is undone. */
  readonly expired?: AbortSignal
}
