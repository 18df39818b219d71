import { InfraError } from '../config/errors.js'

/** A panic at boot that software emulation is known to cause. */
interface EmulationFault {
  readonly pattern: RegExp
  readonly source: string
}

const known: readonly EmulationFault[] = [
  {
    // On a busy machine no timer interrupt comes in the time in which the kernel counts them.
    pattern: /IO-APIC \+ timer doesn't work/,
    source: 'https://github.com/cirros-dev/cirros/issues/69',
  },
]

/**
 * Turns a crash at boot into trouble of the host, which is tried again on a new instance, where the guest runs in
 * software emulation and that is known to cause it; gives any other error back as it is.
 */
export function asEmulationFault(error: unknown, facts: Readonly<Record<string, string>>): unknown {
  const fault =
    error instanceof InfraError && facts.accelerator === 'tcg'
      ? known.find(({ pattern }) => pattern.test(error.message))
      : undefined
  if (fault === undefined || !(error instanceof InfraError)) {
    return error
  }
  const what = `${error.message}; software emulation on a busy machine is known to cause this (${fault.source})`
  return new InfraError(what, { ...error.context, cause: 'host' }, { cause: error })
}
