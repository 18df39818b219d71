import { ConfigError, type Place } from './errors.js'

/** The version of `lab.yaml`; one that does not name it has this one, as all of version 0.1 have. */
export const labFormat = 1

/** The version of `plan.json` in a run's folder; one that does not name it has this one. */
export const planFormat = 1

/** Why a file of another format cannot be read; `null` for one that can be, or that says nothing of its format. */
export function otherFormat(what: string, found: unknown, known: number): string | null {
  if (found === undefined || found === known) {
    return null
  }
  const advice = typeof found === 'number' && found > known ? ': use a newer one' : ''
  return `the ${what}'s format is ${JSON.stringify(found)}, and this program reads ${known}${advice}`
}

/**
 * Refuses a lab of another format before anything else is said about it: what its keys mean is not known.
 *
 * @throws ConfigError
 */
export function refuseOtherFormat(yaml: {
  readonly data: unknown
  place(path: readonly string[]): Place
}): void {
  const { data } = yaml
  const found = typeof data === 'object' && data !== null ? (data as { format?: unknown }).format : undefined
  const message = otherFormat('lab', found, labFormat)
  if (message !== null) {
    throw new ConfigError([{ place: yaml.place(['format']), message }])
  }
}
