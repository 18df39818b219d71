import type { Lab, Placement } from '../config/model.js'
import { mutantMark } from '../config/personas.js'
import { isBringUp } from '../plan/boot.js'
import { digestPlan } from '../plan/digest.js'
import type { Suite, SuiteTest } from '../plan/suite.js'
import type { Plan, PlannedEnvironment } from '../plan/types.js'

/** One claim of a manifest: this test ends so on this persona. */
export interface Claim {
  readonly test: string
  readonly persona: string
  /** Absent where the test must pass. */
  readonly mutant?: string
  /** True where the mutant breaks the guest so that it cannot even be brought up. */
  readonly breaksBoot?: true
}

const guestMutantMark = '--'

/** Everything that the manifests of suites claim, in their order. */
export function claimsOf(suites: readonly Suite[]): Claim[] {
  return suites.flatMap(suite => suite.tests.flatMap(claimsOfTest))
}

function claimsOfTest({ id, proof }: SuiteTest): Claim[] {
  const personas = proof?.passesOn ?? []
  const passes = personas.map(persona => ({ test: id, persona }))
  const fails = personas.flatMap(persona =>
    (proof?.mutants ?? []).map(mutant => ({ test: id, persona, mutant })),
  )
  const unbootable = personas.flatMap(persona =>
    (proof?.breakBoot ?? []).map(mutant => ({ test: id, persona, mutant, breaksBoot: true as const })),
  )
  return [...passes, ...fails, ...unbootable]
}

/** The lab of proofs with a further guest for every mutant that is claimed of a persona. */
export function withMutants(lab: Lab, claims: readonly Claim[]): Lab {
  const guests = new Map(lab.guests)
  for (const { persona, mutant } of claims) {
    if (mutant === undefined) {
      continue
    }
    for (const base of lab.guests.values()) {
      if (base.emulated === persona) {
        const id = `${base.id}${guestMutantMark}${mutant}`
        const on = base.on.map(place => ownPlace(place, mutant))
        guests.set(id, { ...base, id, on, emulated: `${persona}${mutantMark}${mutant}` })
      }
    }
  }
  return { ...lab, guests }
}

/** A virtual machine that a host starts, and the disk that it is made from, are one guest's alone. */
function ownPlace(place: Placement, mutant: string): Placement {
  const { clean, vm } = place
  const mark = `${guestMutantMark}${mutant}`
  return {
    ...place,
    ...(vm === undefined ? {} : { vm: `${vm}${mark}` }),
    ...(clean.kind === 'overlay' || clean.kind === 'copy'
      ? { clean: { ...clean, path: clean.path.replace(/(?=\.\w+$)/, mark) } }
      : {}),
  }
}

/**
 * The plan with just the tests that are claimed of each persona, on the first of its guests that they apply to: some
 * need a host that starts its guests.
 */
export function claimedPlan(plan: Plan, lab: Lab, claims: readonly Claim[]): Plan {
  const shown = new Set<string>()
  const environments = plan.environments
    .map(environment => ({ ...environment, tests: claimedTests(environment, lab, claims, shown) }))
    .filter(({ tests }) => tests.some(test => !isBringUp(test)))
  const expected = environments.reduce((sum, { tests }) => sum + tests.length, 0)
  return { ...plan, environments, expected, digest: digestPlan(environments) }
}

function claimedTests(
  environment: PlannedEnvironment,
  lab: Lab,
  claims: readonly Claim[],
  shown: Set<string>,
): PlannedEnvironment['tests'] {
  const [persona, mutant] = (lab.guests.get(environment.guest.id)?.emulated ?? '').split(mutantMark)
  const own = new Set(
    claims.filter(claim => claim.persona === persona && claim.mutant === mutant).map(({ test }) => test),
  )
  // A mutant need not pass what the claimed test comes after: that is not what is claimed.
  return environment.tests.flatMap(test => {
    if (isBringUp(test)) {
      return [test]
    }
    const claim = `${test.id} ${persona} ${mutant ?? ''}`
    if (!own.has(test.id) || shown.has(claim)) {
      return []
    }
    shown.add(claim)
    return [{ ...test, after: [] }]
  })
}

/** The persona, and the mutant if it is one, that an environment's guest is played by. */
export function playedBy(environment: PlannedEnvironment, lab: Lab): { persona: string; mutant?: string } {
  const [persona = '', mutant] = (lab.guests.get(environment.guest.id)?.emulated ?? '').split(mutantMark)
  return { persona, ...(mutant === undefined ? {} : { mutant }) }
}
