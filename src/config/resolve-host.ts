import { dirname } from 'node:path'
import type { DriverDescriptor } from './driver.js'
import type { Mistake } from './errors.js'
import type { LabFile, LoginFile } from './lab-schema.js'
import type { Host, Login } from './model.js'
import {
  endpointOf,
  readAddress,
  readHostKeyRule,
  readKeyReference,
  readSecretReference,
} from './references.js'
import type { Path, YamlFile } from './yaml.js'

/** What a host's `connect` names: a server that is logged in to over SSH, or one that has an API. */
export type Connection = Pick<Host, 'connect' | 'api'>

/** Turns a host's `connect` into what its driver connects by. */
export function resolveConnection(
  written: LabFile['hosts'][string]['connect'],
  hostPath: Path,
  driver: DriverDescriptor,
  yaml: YamlFile,
  mistakes: Mistake[],
): Connection {
  if (written === undefined) {
    return {}
  }
  const path = [...hostPath, 'connect']
  const isApi = driver.connectsBy === 'api'
  const { ssh, api, user, certificate, tls, host, ...login } = written
  const [wanted, unwanted] = isApi ? ['api', sshKeys] : ['ssh', apiKeys]
  for (const key of unwanted) {
    if (key in written) {
      const message = `the driver ${driver.name} connects by "${wanted}": "${key}" does not belong here`
      mistakes.push({ place: yaml.placeOfKey(path, key), message })
    }
  }
  if ((isApi ? api : ssh) === undefined) {
    const message = `the driver ${driver.name} needs "${wanted}": ${isApi ? 'https://host' : 'user@host'}`
    mistakes.push({ place: yaml.place(path), message })
    return {}
  }
  if (!isApi) {
    const connect = resolveSsh({ ssh: ssh ?? '', ...login }, path, yaml, mistakes)
    return connect === undefined ? {} : { connect }
  }
  const { password } = login
  if (user === undefined || password === undefined || certificate === undefined) {
    const message = '"api" needs "user", "password" and "certificate": who logs in, and the SHA-256 to pin'
    mistakes.push({ place: yaml.place(path), message })
    return {}
  }
  return {
    api: {
      url: (api ?? '').replace(/\/$/, ''),
      user,
      password: readSecretReference(password, dirname(yaml.file)),
      certificate: certificate.slice('SHA256:'.length).replaceAll(':', '').toLowerCase(),
      tls: tls ?? '1.2',
      ...(host === undefined ? {} : { host }),
    },
  }
}

const sshKeys = ['ssh', 'key', 'passphrase', 'hostKey', 'algorithms', 'jump']
const apiKeys = ['api', 'user', 'certificate', 'tls', 'host']

type WrittenSsh = Omit<LoginFile, 'user' | 'sudo'> & {
  readonly ssh: string
  readonly jump?: string | readonly string[] | undefined
}

/** Turns an SSH login into an endpoint and a login. */
function resolveSsh(connect: WrittenSsh, path: Path, yaml: YamlFile, mistakes: Mistake[]): Host['connect'] {
  const at = connect.ssh.lastIndexOf('@')
  const address = readAddress(connect.ssh.slice(at + 1))
  if (address === null || at < 1) {
    const message = `"${connect.ssh}" is not an SSH address: expected "user@host", "user@host:port" or "user@[ipv6]:port"`
    mistakes.push({ place: yaml.place([...path, 'ssh']), message })
    return undefined
  }
  const login = resolveLogin({ ...connect, user: connect.ssh.slice(0, at) }, path, yaml, mistakes)
  return { endpoint: endpointOf(address, connect.jump), login }
}

/** Turns a login as written into one that names where its secrets are. */
export function resolveLogin(
  { user, key, passphrase, password, hostKey, algorithms, sudo }: LoginFile & { user: string },
  path: Path,
  yaml: YamlFile,
  mistakes: Mistake[],
): Login {
  const folder = dirname(yaml.file)
  if (key === undefined && password === undefined) {
    const message = 'nothing to log in with: expected "key" or "password"'
    mistakes.push({ place: yaml.place(path), message })
  }
  return {
    user,
    ...(key === undefined ? {} : { key: readKeyReference(key, folder) }),
    ...(password === undefined ? {} : { password: readSecretReference(password, folder) }),
    ...(passphrase === undefined ? {} : { passphrase: readSecretReference(passphrase, folder) }),
    algorithms: algorithms ?? 'modern',
    hostKey: readHostKeyRule(hostKey ?? 'known_hosts', folder),
    ...(sudo === undefined
      ? {}
      : { sudo: sudo === true ? {} : { password: readSecretReference(sudo.password, folder) } }),
  }
}
