import type { Ability } from '../../config/abilities.js'
import { callsOfAbilities } from '../../hypervisors/contract/calls.js'
import { contractSteps } from '../../hypervisors/contract/steps.js'
import type { Claim, ContractSubject } from '../../hypervisors/contract/subject.js'
import { type ExchangeListener, hearExchanges } from '../../hypervisors/shared/exchanges.js'
import type { Exchanges, PartState } from './transcript.js'

/** What one part of the contract came to. */
export interface PartResult {
  /** A step, or `abilities/NAME`. */
  readonly part: string
  readonly title: string
  readonly state: PartState
  /** What did not hold, or how much was looked at. */
  readonly seen: string
}

/** Hears what a driver sends, and refuses what a step asks to be refused. */
export class HostTap implements ExchangeListener {
  /** Called with each exchange; what it is told of belongs to the step that is carried out. */
  onExchange: ExchangeListener['answered'] = () => {}
  #listener = (_: number): void => {}
  #heard = 0
  #toRefuse = 0
  #isUsed = false

  /** Whether anything was heard at all. */
  get isUsed(): boolean {
    return this.#isUsed
  }

  readonly onCommand: ContractSubject['onCommand'] = listener => {
    this.#heard = 0
    this.#listener = listener
  }

  readonly refuse: ContractSubject['refuse'] = number => {
    this.#toRefuse = number
  }

  sending(): boolean {
    this.#isUsed = true
    this.#heard += 1
    this.#toRefuse -= 1
    this.#listener(this.#heard)
    return this.#toRefuse === 0
  }

  answered(...given: Parameters<ExchangeListener['answered']>): void {
    this.onExchange(...given)
  }
}

/** The steps whose exchanges are worth keeping: the others repeat them. */
const keptSteps: ReadonlySet<string> = new Set(['life', 'abilities'])

export interface ConductOptions {
  readonly subject: ContractSubject
  readonly tap: HostTap
  readonly exchanges: Exchanges
  readonly onResult: (result: PartResult) => void
  readonly onBegin: (title: string) => void
}

/** Carries out the contract's steps, one after the other. Throws the signal's reason when it aborts. */
export async function conduct({
  subject,
  tap,
  exchanges,
  onResult,
  onBegin,
}: ConductOptions): Promise<readonly PartResult[]> {
  const results: PartResult[] = []
  const tell = (result: PartResult): void => {
    results.push(result)
    onResult(result)
  }
  for (const step of contractSteps) {
    const { name, title } = step
    const why = step.whyNot?.(subject) ?? null
    if (why !== null) {
      tell({ part: name, title, state: 'not-tried', seen: why })
      continue
    }
    onBegin(title)
    tap.onExchange = keptSteps.has(name) ? exchange => exchanges.add(name, exchange) : () => {}
    const claims: Claim[] = []
    const thrown = await hearExchanges(tap, () => step.carryOut(subject, claim => claims.push(claim))).then(
      () => null,
      (error: unknown) => (error instanceof Error ? error.message : String(error)),
    )
    subject.signal.throwIfAborted()
    const own = claims.filter(({ of }) => of === undefined)
    const abilities = [...new Set(claims.flatMap(({ of }) => (of === undefined ? [] : [of])))]
    tell({ part: name, title, ...judged(own, thrown, claims.length) })
    for (const ability of abilities) {
      tell(resultOf(ability, claims))
    }
  }
  return results
}

function resultOf(ability: Ability, claims: readonly Claim[]): PartResult {
  const calls = ability === 'console' ? [] : callsOfAbilities[ability]
  const own = claims.filter(({ of }) => of === ability)
  // That it is offered does not show that it works.
  const isTried = own.length > calls.length
  const result = { part: `abilities/${ability}`, title: `${ability} (${calls.join(', ')})` }
  return isTried
    ? { ...result, ...judged(own, null, own.length) }
    : { ...result, state: 'not-tried', seen: 'what was tried before it ended the VM' }
}

function judged(
  claims: readonly Claim[],
  thrown: string | null,
  seen: number,
): Pick<PartResult, 'state' | 'seen'> {
  const broken = claims.filter(({ held }) => !held).map(({ what }) => what)
  const wrong = [...broken, ...(thrown === null ? [] : [thrown])]
  return wrong.length > 0 || seen === 0
    ? { state: 'broken', seen: wrong.join('; ') || 'nothing was seen' }
    : { state: 'held', seen: `${seen} looked at` }
}
