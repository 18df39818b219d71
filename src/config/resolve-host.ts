import { dirname } from 'node:path'
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

/** Turns a host's `connect` into an endpoint and a login. */
export function resolveConnect(
  connect: LabFile['hosts'][string]['connect'],
  hostPath: Path,
  yaml: YamlFile,
  mistakes: Mistake[],
): Host['connect'] {
  if (connect === undefined) {
    return undefined
  }
  const path = [...hostPath, 'connect']
  const at = connect.ssh.lastIndexOf('@')
  const address = readAddress(connect.ssh.slice(at + 1))
  if (address === null || at < 1) {
    const message = `"${connect.ssh}" is no SSH address: expected "user@host", "user@host:port" or "user@[ipv6]:port"`
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
