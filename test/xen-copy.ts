import { join } from 'node:path'
import type { Test } from 'tap'
import { clientKey, connect as connectCopy } from '../emulator/client.test.helper.js'
import { startEmulatedHost } from '../emulator/hosts/host.js'
import { loadLab } from '../src/config/load.js'
import { packageRoot } from '../src/config/package-root.js'
import { driverSource } from '../src/hypervisors/registry.js'
import { defaultCacheFolder } from '../src/hypervisors/shared/cache.js'
import { createXlDriver } from '../src/hypervisors/xl/driver.js'
import { guestcert } from './cli-io.js'
import type { Said } from './host-twins.js'
import { comparedXlCommands, differingXlLines } from './xen-twins.js'

const vm = 'gctwin'
const folder = '/var/lib/guestcert/debian-xen'
const disk = `${folder}/disk.raw`
const own = `${folder}/${vm}.raw`
const cfg = `/tmp/${vm}.cfg`
/** What the card of the host's guest is given. */
const address = '192.0.2.16'
const never = new AbortController().signal
/** One command of a host inside software emulation. */
const commandLimitMs = 300_000
/** How often a host is asked whether a domain is up, or gone, and how long is waited between. */
const [tries, everySec] = [60, 2]

type Run = (command: string) => Promise<Said>

/**
 * Captures the Xen host of a lab that is up, starts the copy, and sends both the same lines. A line that differs
 * fails, but for what `xlMasks` names.
 */
export async function answersLikeItsCopy(t: Test, file: string): Promise<void> {
  const cwd = t.testdir({})
  const args = ['capture', file, '--host', 'xen-1', '-o', 'found']
  const captured = await guestcert(args, { cwd, env: process.env })
  t.equal(captured.code, 0, captured.stderr)
  const onOriginal = await original(t, file)
  const onCopy = await copyOf(t, join(cwd, 'found/hosts/xen-1.yaml'))
  const template = (await onOriginal(`cat /etc/xen/debian.cfg`)).stdout
  t.teardown(() =>
    onOriginal(`xl destroy ${vm}; rm -f ${own} ${cfg} /tmp/${vm}.save /tmp/twin.cfg /tmp/extra.raw`),
  )
  const config = `${template.replace(/"debian"/, `"${vm}"`).replace(disk, own)}uuid = "6d9f0e1c-5a1f-4b7c-8f0e-000000000001"\n`
  for (const on of [onOriginal, onCopy]) {
    const { code, stderr } = await on(
      `cp --sparse=always ${disk} ${own} && cat >${cfg} <<'end'\n${config}end`,
    )
    t.equal(code, 0, `both have a disk and a configuration ${stderr}`)
  }
  // The copy boots a persona: of kernels it needs no more than that they are there.
  await onCopy(`touch ${folder}/vmlinuz ${folder}/initrd.img`)
  const differences: string[] = []
  for (const line of comparedXlCommands) {
    const command = line.replaceAll('{vm}', vm).replaceAll('{cfg}', cfg)
    if (/^\{\w+\}$/.test(line)) {
      await waitOn(onOriginal, onCopy, line)
      continue
    }
    const said = await onOriginal(`export LC_ALL=C; ${command}`)
    t.comment(`compared: ${line} (status ${said.code})`)
    differences.push(...differingXlLines(line, said, await onCopy(`export LC_ALL=C; ${command}`)))
  }
  t.same(differences, [], 'no line differs')
}

/** Waits on both until the domain is up, or gone, or what went before has been written down. */
async function waitOn(onOriginal: Run, onCopy: Run, what: string): Promise<void> {
  const conditions: Readonly<Record<string, readonly [onOriginal: string, onCopy: string]>> = {
    '{up}': [
      `timeout 9 bash -c 'exec 3<>/dev/tcp/${address}/22; head -c 4 <&3' 2>/dev/null | grep -q SSH`,
      `xl block-list ${vm} | grep -q '^51712 0 .* 4 '`,
    ],
    '{gone}': [`! xl domid ${vm} 2>/dev/null`, `! xl domid ${vm} 2>/dev/null`],
    '{settled}': ['sleep 5', ':'],
  }
  const [one = ':', other = ':'] = conditions[what] ?? []
  for (const [on, condition] of [
    [onOriginal, one],
    [onCopy, other],
  ] as const) {
    await on(`i=0; until ${condition} || [ $i -ge ${tries} ]; do sleep ${everySec}; i=$((i+1)); done`)
  }
}

async function original(t: Test, file: string): Promise<Run> {
  const host = (await loadLab(file, driverSource)).hosts.get('xen-1')
  if (host === undefined) {
    throw new Error('the lab has no host xen-1')
  }
  const driver = createXlDriver({ host, cacheFolder: defaultCacheFolder() })
  t.teardown(() => driver.close())
  const shell = await driver.shell?.(never)
  if (shell === undefined) {
    throw new Error('the host has no shell')
  }
  return async command => {
    const limits = { signal: never, limitMs: commandLimitMs, limitName: 'test' }
    const { exit, stdout, stderr } = await shell.run(command, limits)
    return { code: exit.kind === 'code' ? exit.code : null, stdout: stdout.text, stderr: stderr.text }
  }
}

async function copyOf(t: Test, persona: string): Promise<Run> {
  const users = [{ name: 'root', authorizedKeys: [clientKey.public] }]
  const emulated = await startEmulatedHost({
    name: 'xen-1',
    persona,
    personaFolders: [join(packageRoot, 'fixtures/personas')],
    users,
    vms: [
      {
        name: 'debian',
        guest: { persona: 'debian-12-xen', users },
        hardware: { vcpus: 1, memoryBytes: 256 * 2 ** 20, mode: 'pv' },
        images: [disk],
      },
    ],
  })
  t.teardown(() => emulated.close())
  const client = await connectCopy(emulated.machine)
  t.teardown(() => client.end())
  return async command => {
    const { code, stdout, stderr } = await client.run(command)
    return { code: code ?? null, stdout, stderr }
  }
}
