import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Access } from '../driver.js'
import type { BuiltImage } from '../shared/image.js'

const configFile = 'ssh_config'
const alias = 'guest'

/** What a person types to get into an instance, once it has started. Known before its port is. */
export function keepHint(folder: string): string {
  return `ssh -F ${quoted(join(folder, configFile))} ${alias}`
}

/** Writes what OpenSSH must know to get into an instance: ssh_config(5). */
export async function writeSshConfig(
  folder: string,
  { endpoint }: Access,
  image: BuiltImage | null,
): Promise<void> {
  const lines = [`Host ${alias}`, `  HostName ${endpoint.host}`, `  Port ${endpoint.port}`]
  const ours = image && [
    '  User root',
    `  IdentityFile "${image.keyPath}"`,
    '  IdentitiesOnly yes',
    `  HostKeyAlias ${image.name}`,
    `  UserKnownHostsFile "${image.knownHosts}"`,
    '  StrictHostKeyChecking yes',
  ]
  await writeFile(join(folder, configFile), `${[...lines, ...(ours ?? [])].join('\n')}\n`, { mode: 0o600 })
}

/** A path as a shell takes it. */
function quoted(path: string): string {
  return /^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`
}
