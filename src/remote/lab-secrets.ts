import type { Mistake, Place } from '../config/errors.js'
import type { Lab, Login, SecretReference } from '../config/model.js'
import { weakness } from '../text/weakness.js'
import { resolveSecret, type SecretSources, secretSources } from './secrets.js'

/** What a lab's logins refer to. */
export interface LabSecrets {
  /** Those that can be kept out of reports. */
  readonly secrets: readonly string[]
  /** Those that cannot, and why, without the secrets themselves. */
  readonly weak: readonly Mistake[]
}

interface Kept {
  readonly reference: SecretReference | undefined
  readonly what: string
  readonly where: string
  readonly place: Place
}

/** Finds the secrets of a lab. One that is missing is not said here, but by whoever logs in with it. */
export async function secretsOf(lab: Lab, sources: SecretSources = secretSources({})): Promise<LabSecrets> {
  const kept = [
    ...[...lab.hosts.values()].flatMap(({ id, place, connect, api }) =>
      keptBy(`host ${id}`, place, api ?? connect?.login),
    ),
    ...[...lab.guests.values()].flatMap(({ id, place, login }) => keptBy(`guest ${id}`, place, login)),
  ]
  const names = namesOf(lab)
  const secrets = new Set<string>()
  const weak: Mistake[] = []
  for (const { reference, what, where, place } of kept) {
    const secret =
      reference && (await resolveSecret(reference, { what, where }, sources).catch(() => undefined))
    if (secret === undefined) continue
    const why = weakness(secret, names)
    if (why === null) secrets.add(secret)
    else weak.push({ place, message: `${what} of ${where} cannot be kept out of reports: ${why}` })
  }
  return { secrets: [...secrets], weak }
}

function keptBy(where: string, place: Place, login: Partial<Login> | undefined): Kept[] {
  const about = { where, place }
  return [
    { ...about, reference: login?.password, what: 'the password' },
    { ...about, reference: login?.passphrase, what: "the key's passphrase" },
    { ...about, reference: login?.sudo?.password, what: 'the password for sudo' },
  ]
}

/** The words of a lab that a report shows anyway. */
function namesOf(lab: Lab): Set<string> {
  const hosts = [...lab.hosts.values()].flatMap(({ id, product, connect }) => [
    id,
    product,
    connect?.login.user,
    connect?.endpoint.host,
  ])
  const guests = [...lab.guests.values()].flatMap(({ id, product, edition, login, on }) => [
    id,
    product,
    edition,
    login.user,
    ...on.flatMap(({ vm, endpoint, image }) => [vm, endpoint?.host, image]),
  ])
  return new Set([lab.name, ...hosts, ...guests].filter(name => name !== undefined))
}
