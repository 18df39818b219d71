import { parseMomentMs } from '../../config/moment.js'
import { registrationDigits } from '../../config/registration.js'
import { isAbout, mismatches } from '../policy/match.js'
import type { Case, DecisionInput, Reason } from './types.js'

const dayMs = 86_400_000

/** What stands against a run as a whole, whatever its tests came to. */
export function runReasons(one: Case, input: DecisionInput): Reason[] {
  return [...identityReasons(one, input), ...completenessReasons(one), ...originReasons(one, input)]
}

/** What was tested: observed, real, and of the pairing. */
function identityReasons({ run }: Case, { pairing }: DecisionInput): Reason[] {
  const { observed } = run
  const accelerator = String(run.pairing.configuration.accelerator ?? '')
  const reasons: Reason[] = []
  if (run.emulated)
    reasons.push({ code: 'emulated', text: 'guest or host is emulated: it certifies nothing' })
  if (!isAbout(pairing, run.pairing)) {
    const { guest, hypervisor } = run.pairing
    const text = `the run is of ${guest.product} ${guest.version} (${guest.arch}) on ${hypervisor.product} ${hypervisor.version}`
    reasons.push({ code: 'other-pairing', text })
  }
  if (!observed.guest)
    reasons.push({ code: 'guest-not-observed', text: 'the guest did not show which product it is' })
  if (!observed.hypervisor) {
    const text = 'no host showed which hypervisor it is: guests that run already certify nothing'
    reasons.push({ code: 'hypervisor-not-observed', text })
  }
  if (accelerator === '') {
    reasons.push({
      code: 'accelerator-not-observed',
      text: 'no host showed what carries out the guest’s instructions',
    })
  } else if (accelerator === 'tcg' && !pairing.accelerators.includes('tcg')) {
    reasons.push({ code: 'software-emulation', text: 'the guest ran under software emulation' })
  } else if (!pairing.accelerators.some(name => name === accelerator)) {
    reasons.push({
      code: 'accelerator',
      text: `the guest ran on ${accelerator}, and not on ${pairing.accelerators.join(' or ')}`,
    })
  }
  for (const text of mismatches(pairing, run.pairing)) reasons.push({ code: 'configuration', text })
  for (const text of observed.contradictions) reasons.push({ code: 'contradiction', text })
  for (const name of observed.varying) {
    reasons.push({ code: 'varying', text: `the machines of the run differ in: ${name}` })
  }
  return reasons
}

/** The run was brought to its end, and its journal agrees with its plan. */
function completenessReasons({ run }: Case): Reason[] {
  const reasons: Reason[] = []
  if (run.closedAt === null) reasons.push({ code: 'unclosed', text: 'the run was not brought to its end' })
  if (run.sessions !== 1) {
    reasons.push({
      code: 'sessions',
      text: 'the run was continued later: which program did that is not known',
    })
  }
  if (run.interrupted) reasons.push({ code: 'interrupted', text: 'the run was interrupted' })
  if (run.problems > 0) reasons.push({ code: 'journal', text: 'journal and plan contradict each other' })
  return reasons
}

/** Who ran it, with which program, when, and that it was known before. */
function originReasons(one: Case, { policy, kit, nowMs }: DecisionInput): Reason[] {
  const { run, registration, signers } = one
  const reasons: Reason[] = []
  const party = signers.find(({ roles }) => roles.includes('lab'))?.party
  if (party === undefined)
    reasons.push({ code: 'unsigned', text: 'no lab that is trusted has signed the run' })
  if (one.rejected !== null) reasons.push({ code: 'rejected', text: one.rejected })
  const imported = policy.imports?.some(({ tool, party: by }) => tool === run.importedFrom && by === party)
  if (run.importedFrom !== null && imported !== true) {
    reasons.push({ code: 'imported', text: `results of ${run.importedFrom} count for nothing here` })
  }
  if (run.importedFrom === null && !kit.harness.includes(run.harness.digest ?? '')) {
    reasons.push({
      code: 'harness',
      text: `the run was carried out by another program than the policy’s: ${run.harness.name}`,
    })
  }
  if (policy.registered && registration === null) {
    reasons.push({ code: 'not-registered', text: 'the run was not registered before it began' })
  }
  if (registration !== null) {
    if (!run.run.endsWith(registration.leaf.slice(0, registrationDigits))) {
      reasons.push({ code: 'run-id', text: 'the run’s name is not that of its registration' })
    }
    if (registration.planDigest !== run.planDigest) {
      reasons.push({ code: 'plan', text: 'another plan was registered than the one that was carried out' })
    }
    if (registration.harnessDigest !== run.harness.digest) {
      reasons.push({
        code: 'harness-changed',
        text: 'another program was registered than the one that carried it out',
      })
    }
    if (party !== undefined && registration.party !== party) {
      reasons.push({
        code: 'registrant',
        text: `${registration.party} registered the run, and ${party} signed it`,
      })
    }
    if (Date.parse(registration.at) > Date.parse(run.openedAt)) {
      reasons.push({ code: 'clock', text: 'the run says that it began before it was registered' })
    }
    if (policy.cosigned === true && registration.cosigners.every(other => other === registration.party)) {
      reasons.push({
        code: 'not-cosigned',
        text: 'no other party had cosigned the registration when the run was added',
      })
    }
  }
  const startMs = Date.parse(registration?.at ?? run.openedAt)
  if (!(nowMs - startMs <= policy.ageDays * dayMs)) {
    reasons.push({ code: 'age', text: `the run is older than ${policy.ageDays} days` })
  }
  if (startMs > nowMs) reasons.push({ code: 'future', text: 'the run begins in the future' })
  const { kitValid } = policy
  if (
    kitValid !== undefined &&
    !(
      startMs >= (parseMomentMs(kitValid.from) ?? Number.NaN) &&
      startMs < (parseMomentMs(kitValid.until) ?? Number.NaN)
    )
  ) {
    reasons.push({
      code: 'kit-validity',
      text: `the kit was valid from ${kitValid.from} until ${kitValid.until}`,
    })
  }
  return reasons
}
