import type { Limits } from '../config/limits.js'
import { formatDuration } from '../config/units.js'
import type { Measure, TestEnded } from '../journal/events.js'
import { type BootStep, bootSteps, bootTestId } from '../plan/boot.js'
import type { Trouble } from './cause.js'
import { countChecks, type SeenCheck } from './outcome.js'
import type { RunSettings } from './settings.js'
import { Waits } from './waits.js'

/** What a step does, for whoever waits for it. */
const doings: Readonly<Record<BootStep, string>> = {
  lease: 'the machine to be ours',
  prepare: 'the host to prepare the guest',
  start: 'the host to start the guest',
  address: 'the address of the guest',
  connect: 'the guest to answer',
  'log-in': 'the guest to let us in',
  payload: "the guest to take the suites' files",
  ready: 'the guest to be ready',
  facts: 'the facts of the guest',
}

/** Steps that the host does: what they take of the budget, the guest has not to answer. */
const hostSteps: readonly BootStep[] = ['prepare', 'start']

/** The limit of a step; those that are not here share one budget, the limit `boot`. */
const ownLimits: Readonly<Partial<Record<BootStep, keyof Limits>>> = {
  lease: 'leaseWait',
  payload: 'transfer',
  ready: 'boot',
  facts: 'transfer',
}

/** Which bring-up of which environment it is. */
export interface Bringing {
  readonly environment: string
  /** From 1. */
  readonly attempt: number
  readonly instance: string | null
}

/** One bring-up, as the journal is told of it: its steps, how long each took, and how it ended. */
export class BootAttempt {
  readonly #at: { readonly environment: string; readonly test: string; readonly attempt: number }
  readonly #settings: Pick<RunSettings, 'emit' | 'plan'>
  readonly #waits: Waits
  readonly #spentMs = new Map<BootStep, number>()
  readonly #done = new Set<BootStep>()
  readonly #instance: string | null
  #startedAt = performance.now()
  #step: BootStep | null = null
  #stepAt = 0
  #ofGuest = false
  /** How long it took, once it is over: what is undone after it does not count. */
  #tookMs: number | null = null

  /** `instance` is `null` where no host is left that could have one. */
  constructor({ environment, attempt, instance }: Bringing, settings: Pick<RunSettings, 'emit' | 'plan'>) {
    this.#at = { environment, test: bootTestId, attempt }
    this.#instance = instance
    this.#settings = settings
    this.#waits = new Waits(settings.emit, settings.plan.limits.notice)
  }

  /** The machine is ours, and the instance is about to be made. */
  start(): void {
    this.#startedAt = performance.now()
    if (this.#instance !== null) {
      this.#settings.emit({ type: 'test-started', ...this.#at, instance: this.#instance })
    }
  }

  /** A step begins; those before it are done, and those behind it are still to come. */
  begin(step: BootStep): void {
    this.#leave()
    for (const other of bootSteps) {
      if (bootSteps.indexOf(other) >= bootSteps.indexOf(step)) {
        this.#done.delete(other)
      } else if (this.#spentMs.has(other)) {
        this.#done.add(other)
      }
    }
    this.#step = step
    this.#stepAt = performance.now()
    this.#spentMs.set(step, this.#spentMs.get(step) ?? 0)
  }

  /** Says for what is waited from now on, and until when; `where` is what is asked, when that is known. */
  waitFor(step: BootStep, where = ''): void {
    this.begin(step)
    const own = ownLimits[step]
    const limit = own ?? 'boot'
    this.#waits.begin({
      environment: this.#at.environment,
      what: where === '' ? doings[step] : `${doings[step]} (${where})`,
      limit,
      limitMs: own === undefined ? this.leftMs() : this.#settings.plan.limits[own],
    })
  }

  /** What is left of its one budget, the limit `boot`: from its preparation to the first command that is answered. */
  leftMs(): number {
    return Math.max(1, this.#settings.plan.limits.boot - (performance.now() - this.#startedAt))
  }

  /** That the host has used more than half of the budget, in words; `null` when the guest had its time to answer. */
  usedByHost(): string | null {
    const used = hostSteps.reduce((sum, step) => sum + (this.#spentMs.get(step) ?? 0), 0)
    const { boot } = this.#settings.plan.limits
    return used * 2 <= boot
      ? null
      : `the host took ${formatDuration(Math.round(used))} of it to prepare and to start the guest`
  }

  /** A look at what is waited for showed that it is not there yet. */
  saw(what: string): void {
    this.#waits.saw(what)
  }

  /** It is over, however it ended; what it came to is said later. */
  halt(): void {
    this.#leave()
    this.#waits.end()
    this.#tookMs ??= performance.now() - this.#startedAt
  }

  /** The guest itself broke, or never answered although its virtual machine runs: its failure, if it fails. */
  blameGuest(): void {
    this.#ofGuest = true
  }

  /** Everything was done: the guest is up. */
  passed(): void {
    this.halt()
    for (const step of this.#spentMs.keys()) {
      this.#done.add(step)
    }
    this.#step = null
    this.#end({ verdict: 'pass', reason: '', final: true, checks: this.#checks() })
  }

  /** It did not come up. `final` is false when it is tried again. */
  failed(trouble: Trouble, final: boolean): void {
    this.halt()
    const isFailure = this.#ofGuest && trouble.cause === 'guest'
    const text = this.#step === null ? 'the guest is brought up' : this.#step
    const failed: SeenCheck = { state: 'not-ok', text, diagnostics: trouble.message }
    this.#end({
      verdict: isFailure ? 'fail' : 'error',
      cause: trouble.cause,
      reason: trouble.message,
      final,
      checks: [...this.#checks(), ...(isFailure ? [failed] : [])],
    })
  }

  /** The run was ended while it was under way: nothing is said about the guest. */
  interrupted(): void {
    this.halt()
    const reason = 'the run was interrupted while the guest was brought up'
    this.#end({ verdict: 'not-run', cause: 'runner', reason, final: true, checks: this.#checks() })
  }

  #leave(): void {
    if (this.#step !== null && this.#tookMs === null) {
      const spent = performance.now() - this.#stepAt
      this.#spentMs.set(this.#step, (this.#spentMs.get(this.#step) ?? 0) + spent)
      this.#stepAt = performance.now()
    }
  }

  #checks(): SeenCheck[] {
    return bootSteps.filter(step => this.#done.has(step)).map(step => ({ state: 'ok', text: step }))
  }

  #end({ checks, ...ended }: Pick<TestEnded, 'verdict' | 'cause' | 'reason' | 'final'> & Seen): void {
    const { emit } = this.#settings
    for (const check of checks) {
      emit({ type: 'check', ...this.#at, ...check })
    }
    const measures: Record<string, Measure> = Object.fromEntries(
      [...this.#spentMs].map(([step, ms]) => [step, { value: Math.round(ms), unit: 'ms' }]),
    )
    emit({
      type: 'test-ended',
      ...this.#at,
      instance: this.#instance,
      ...ended,
      durationMs: this.#instance === null ? 0 : Math.round(this.#tookMs ?? 0),
      checks: countChecks(checks),
      ...(this.#spentMs.size === 0 ? {} : { measures }),
      ...(ended.verdict === 'pass' || this.#step === null ? {} : { step: this.#step }),
      evidence: [],
    })
  }
}

interface Seen {
  readonly checks: readonly SeenCheck[]
}
