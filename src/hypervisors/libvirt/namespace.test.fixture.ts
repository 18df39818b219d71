import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Folders that are a libvirt host's own. */
const ownFolders = [
  '/etc/libvirt',
  '/var/lib/libvirt',
  '/var/cache/libvirt',
  '/var/log/libvirt',
  '/root/.ssh',
]
const variable = 'GUESTCERT_TEST_NAMESPACE'

/**
 * A shell script that gives whoever runs it, in a mount namespace of its own, a libvirt host's folders below `base`,
 * and an empty `/run`. Disks are in one folder for all hosts, as on a file server.
 */
export function ownFoldersScript(base: string, shared: string): string {
  const own = ownFolders.map(folder =>
    [
      `mkdir -p ${base}${folder} ${folder}`,
      `cp -a ${folder}/. ${base}${folder}/`,
      `mount --bind ${base}${folder} ${folder}`,
    ].join('&&'),
  )
  return [
    'set -e',
    ...own,
    'mount -t tmpfs tmpfs /run',
    'mkdir -p /run/sshd /run/libvirt',
    `mkdir -p ${shared}`,
    `mount --bind ${shared} /var/lib/libvirt/images`,
    'ip link set lo up',
  ].join('\n')
}

/**
 * Runs a test file in network and mount namespaces of its own: what it starts is seen by nobody else, and ends with
 * it. Resolves, in the namespaces, to a folder for what its hosts hold; outside of them, once the test has ended there,
 * to `null`. Needs root.
 */
export async function enterNamespaces(url: string): Promise<string | null> {
  const entered = process.env[variable]
  if (entered !== undefined) {
    return entered
  }
  const base = mkdtempSync(join(tmpdir(), 'gc-hosts-'))
  try {
    const script = `${ownFoldersScript(join(base, 'first'), join(base, 'shared'))}\nexec "$@"`
    const self = [process.execPath, ...process.execArgv, fileURLToPath(url)]
    const child = spawn(
      'unshare',
      ['--net', '--mount', '--propagation', 'private', '--', '/bin/sh', '-c', script, 'sh', ...self],
      { stdio: 'inherit', env: { ...process.env, [variable]: base } },
    )
    const [status] = await once(child, 'exit')
    process.exitCode = typeof status === 'number' ? status : 1
    return null
  } finally {
    rmSync(base, { recursive: true, force: true })
  }
}
