import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { UsageError } from '../config/errors.js'
import { packageRoot } from '../config/package-root.js'
import { noHistory } from '../engine/estimate.js'
import type { RunState } from '../journal/state.js'
import { type Claim, claimedPlan, claimsOf, playedBy, withMutants } from '../lab/proof.js'
import { bootTestId } from '../plan/boot.js'
import { makePlan } from '../plan/build.js'
import { everything, takesTest } from '../plan/choice.js'
import type { Suite } from '../plan/suite.js'
import { loadSuites } from '../plan/suites.js'
import { openDrivers } from '../run/drivers.js'
import { carryOut } from '../run/run.js'
import { answer } from './answer.js'
import { type CommandIo, countFlag, listFlag, type ParsedArgs, textFlag } from './args.js'
import { cacheFolder } from './folders.js'
import { watchInterrupts } from './interrupts.js'
import { loadLab } from './load-lab.js'

const proofLab = join(packageRoot, 'fixtures/labs/proof.yaml')
const defaultParallel = 8

/** What became of a claim. */
interface Finding extends Claim {
  readonly holds: boolean
  readonly verdict: string
  readonly reason: string
}

/** `guestcert prove [SUITE…]`: shows that each test passes where it must, and fails where it must. */
export async function run(args: ParsedArgs, io: CommandIo): Promise<number> {
  const folders = (args.arguments.get('SUITE') ?? []).map(folder => resolve(io.cwd, folder))
  const suites = chosen(
    await loadSuites(folders.length === 0 ? ['builtin'] : folders, null),
    listFlag(args, 'test'),
  )
  const claims = claimsOf(suites)
  const unproven = suites.flatMap(suite =>
    suite.tests.filter(({ proof }) => proof === null).map(({ id }) => id),
  )
  if (claims.length === 0) {
    throw new UsageError('no test in these suites declares a proof')
  }
  const findings = judge(claims, await runClaims(suites, claims, args, io))
  const broken = new Set(findings.filter(({ holds }) => !holds).map(({ test }) => test))
  answer(args, io, {
    value: { findings, unproven },
    text: () => told(findings, unproven),
    quiet: () =>
      broken.size + unproven.length === 0
        ? ''
        : told(
            findings.filter(({ test }) => broken.has(test)),
            unproven,
          ),
  })
  return findings.every(({ holds }) => holds) && unproven.length === 0 ? 0 : 1
}

function chosen(suites: readonly Suite[], tests: readonly string[]): Suite[] {
  const choice = { ...everything, tests }
  return suites.map(suite => ({ ...suite, tests: suite.tests.filter(test => takesTest(choice, test)) }))
}

/** Authors of suites keep personas and mutants of their own beside their suites. */
function personasOf(suites: readonly Suite[]): string[] {
  return suites.map(({ folder }) => join(dirname(folder), 'personas'))
}

interface Ran {
  readonly state: RunState
  readonly played: (environment: RunState['environments'][number]) => { persona: string; mutant?: string }
}

async function runClaims(
  suites: readonly Suite[],
  claims: readonly Claim[],
  args: ParsedArgs,
  io: CommandIo,
): Promise<Ran> {
  const file = textFlag(args, 'lab')
  const base = await loadLab(file === undefined ? proofLab : resolve(io.cwd, file), io)
  const lab = { ...withMutants(base, claims), personas: personasOf(suites) }
  const planned = openDrivers(lab, cacheFolder())
  const plan = claimedPlan(makePlan(lab, suites, everything, planned.abilitiesOf), lab, claims)
  await planned.close()
  const used = new Set(
    plan.environments.flatMap(({ guest, peer }) => [
      guest.id,
      ...(peer === undefined ? [] : [peer.guest.id]),
    ]),
  )
  const small = { ...lab, guests: new Map([...lab.guests].filter(([id]) => used.has(id))) }
  const interrupts = watchInterrupts(text => io.stderr.write(text), io.signal)
  const output = await mkdtemp(join(tmpdir(), 'guestcert-prove-'))
  try {
    const { state } = await carryOut({
      lab: small,
      suites,
      plan,
      output,
      workspace: output,
      cacheFolder: cacheFolder(),
      reusesLab: false,
      who: 'prove',
      keep: 'never',
      parallel: countFlag(args, 'parallel') ?? defaultParallel,
      retries: 0,
      history: noHistory,
      drain: interrupts.drain,
      stop: interrupts.stop,
      warn: text => io.stderr.write(`guestcert: ${text}\n`),
    })
    return { state, played: ({ planned }) => playedBy(planned, small) }
  } finally {
    interrupts.close()
    await rm(output, { recursive: true, force: true })
  }
}

/** What was seen of one test on one guest. */
interface Seen {
  readonly verdict: string
  readonly reason: string
  /** True when the test's own checks are why it is not a pass. */
  readonly sawItself: boolean
}

/**
 * A mutant is caught by a check of the test itself that failed: an error proves nothing, nor does a guest that broke
 * under it. Only of a mutant that is declared to break the bring-up, its bring-up must not pass.
 */
function judge(claims: readonly Claim[], { state, played }: Ran): Finding[] {
  const seen = new Map<string, Seen>()
  for (const environment of state.environments) {
    const { persona, mutant = '' } = played(environment)
    for (const { planned, verdict, reason, decisive } of environment.tests) {
      const sawItself = verdict === 'fail' && (decisive?.counts.notOk ?? 0) > 0
      seen.set(`${planned.id} ${persona} ${mutant}`, { verdict, reason, sawItself })
    }
  }
  return claims.map(claim => {
    const shown = claim.breaksBoot === true ? bootTestId : claim.test
    const { verdict, reason, sawItself } = seen.get(`${shown} ${claim.persona} ${claim.mutant ?? ''}`) ?? {
      verdict: 'left out',
      reason: 'the lab has no such emulated guest, or the test does not apply to it',
      sawItself: false,
    }
    const holds =
      claim.mutant === undefined
        ? verdict === 'pass'
        : claim.breaksBoot === true
          ? verdict === 'fail' || verdict === 'error'
          : sawItself
    return { ...claim, verdict, reason, holds }
  })
}

/** What a claim asks for, in words. */
function expectedOf({ mutant, breaksBoot }: Claim): string {
  return mutant === undefined
    ? 'pass'
    : breaksBoot === true
      ? `${bootTestId} not to pass`
      : 'a failed check of its own'
}

function told(findings: readonly Finding[], unproven: readonly string[]): string {
  const said: string[] = []
  const tests = [...new Set(findings.map(({ test }) => test))]
  for (const test of tests) {
    const own = findings.filter(finding => finding.test === test)
    const broken = own.filter(({ holds }) => !holds)
    const passes = own.filter(({ mutant }) => mutant === undefined)
    const mutants = [...new Set(own.flatMap(({ mutant }) => mutant ?? []))]
    const mark = broken.length === 0 ? 'proven  ' : 'UNPROVEN'
    said.push(`${mark}  ${test}  passes on ${passes.length} personas, fails on ${mutants.join(', ')}\n`)
    for (const finding of broken) {
      const { persona, mutant, verdict, reason } = finding
      const where = mutant === undefined ? persona : `${persona} + ${mutant}`
      said.push(
        `          ${where}: ${verdict}, expected ${expectedOf(finding)}${reason === '' ? '' : `: ${reason}`}\n`,
      )
    }
  }
  for (const test of unproven) {
    said.push(`UNPROVEN  ${test}  its manifest declares no proof\n`)
  }
  const held = findings.filter(({ holds }) => holds).length
  return `${said.join('')}\n${held} of ${findings.length} claims hold\n`
}
