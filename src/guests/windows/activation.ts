import type { WindowsMachine } from '../../remote/index.js'
import { isBefore, ntVersion, queryWmi } from './wmi.js'

/** Whether Windows may be used, and for how long. */
export interface Activation {
  /** `grace` and `evaluation` end by themselves; `notification` and `unlicensed` have ended. */
  readonly state: 'licensed' | 'grace' | 'evaluation' | 'notification' | 'unlicensed'
  /** Days until it ends; `null` where it does not. */
  readonly daysLeft: number | null
  /** What Windows calls it. */
  readonly name: string
}

const minutesPerDay = 24 * 60
/** RemainingEvaluationPeriod of a Windows that is not an evaluation. */
const noPeriod = 2 ** 31 - 1

/** Reads the activation; `null` when no product key is installed, or the guest does not say. */
export async function readActivation(
  machine: WindowsMachine,
  signal?: AbortSignal,
): Promise<Activation | null> {
  const asked = signal === undefined ? {} : { signal }
  return isBefore(ntVersion(machine), '6.0') ? before2008(machine, asked) : since2008(machine, asked)
}

async function since2008(
  machine: WindowsMachine,
  asked: { signal?: AbortSignal },
): Promise<Activation | null> {
  const products = await queryWmi(machine, 'SoftwareLicensingProduct', {
    get: ['Description', 'GracePeriodRemaining', 'LicenseStatus', 'Name', 'PartialProductKey'],
    where: "PartialProductKey IS NOT NULL AND Name LIKE 'Windows%'",
    ...asked,
  })
  const [product] = products
  if (product === undefined || typeof product.LicenseStatus !== 'number') {
    return null
  }
  const minutes = typeof product.GracePeriodRemaining === 'number' ? product.GracePeriodRemaining : 0
  const name = String(product.Name ?? '')
  const isEvaluation = /EVAL/i.test(`${name} ${String(product.Description ?? '')}`)
  // https://learn.microsoft.com/en-us/previous-versions/windows/desktop/sppwmi/softwarelicensingproduct
  switch (product.LicenseStatus) {
    case 1:
      return isEvaluation || minutes > 0
        ? { state: isEvaluation ? 'evaluation' : 'licensed', daysLeft: minutes / minutesPerDay, name }
        : { state: 'licensed', daysLeft: null, name }
    case 2:
    case 3:
    case 4:
    case 6:
      return { state: 'grace', daysLeft: minutes / minutesPerDay, name }
    case 5:
      return { state: 'notification', daysLeft: 0, name }
    default:
      return { state: 'unlicensed', daysLeft: 0, name }
  }
}

async function before2008(
  machine: WindowsMachine,
  asked: { signal?: AbortSignal },
): Promise<Activation | null> {
  const [product] = await queryWmi(machine, 'Win32_WindowsProductActivation', {
    get: ['ActivationRequired', 'RemainingEvaluationPeriod', 'RemainingGracePeriod'],
    ...asked,
  })
  if (product === undefined || typeof product.ActivationRequired !== 'number') {
    return null
  }
  const { RemainingEvaluationPeriod: evaluation, RemainingGracePeriod: grace } = product
  const name = 'Windows product activation'
  if (typeof evaluation === 'number' && evaluation < noPeriod) {
    return { state: evaluation > 0 ? 'evaluation' : 'notification', daysLeft: evaluation, name }
  }
  if (product.ActivationRequired === 0) {
    return { state: 'licensed', daysLeft: null, name }
  }
  const days = typeof grace === 'number' ? grace : 0
  return { state: days > 0 ? 'grace' : 'unlicensed', daysLeft: days, name }
}
