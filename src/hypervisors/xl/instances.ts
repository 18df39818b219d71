import { posix } from 'node:path'
import { quote } from '../../remote/index.js'
import type { Leftover } from '../driver.js'
import { awaitSent } from '../managed-vm/await-state.js'
import { giveBack } from '../managed-vm/give-back.js'
import { type Claim, listClaims, removeClaim } from '../shared/claims.js'
import type { CallOptions, HostCommands } from '../shared/host-commands.js'
import { readInstanceName } from '../shared/names.js'
import { parseConfig } from './config.js'
import { parseDisk } from './disks.js'
import { xlVm } from './domain-vm.js'
import { listDomains, type XlHost } from './host.js'
import { consoleLog, emulatorLog, watcherLog } from './logs.js'

/**
 * xl keeps no domain that does not run: an instance's configuration lies in the home folder of whoever logs in to the
 * host, from before its disks are made until all else of it is gone. So what a dead runner leaves can be found.
 */
const folder = '"$HOME/.guestcert"'

/** An instance on a host: of a run that goes on, or of one that is dead. */
export interface XlInstance {
  readonly name: string
  readonly run: string
  /** The domain that serves as the instance itself; `null` when the instance is a domain of its own. */
  readonly vm: string | null
  /** What `xl list` says; `null` when no such domain is there. */
  readonly state: string | null
  /** True when it was left on purpose. */
  readonly kept: boolean
}

/** An instance for people. */
export function describeInstance({ name, run, vm, state, kept }: XlInstance): Leftover {
  const own = state === null ? 'a configuration without a domain' : `a domain (${state})`
  const what = vm === null ? own : `the VM ${vm}, ${state ?? 'not there'}`
  return { name, run, what, shared: vm !== null, kept }
}

/** The configuration's file, as a word of a shell command. */
export function configFile(instance: string): string {
  return `${folder}/${quote(`${instance}.cfg`)}`
}

/** Writes an instance's configuration, whole or not at all. */
export async function writeInstance(
  shell: HostCommands,
  instance: string,
  text: string,
  call: CallOptions,
): Promise<void> {
  const file = configFile(instance)
  const command = `umask 077&&mkdir -p ${folder}&&cat >${file}.new&&mv ${file}.new ${file}`
  await shell.demand(command, { ...call, stdin: Buffer.from(text) })
}

/** Every instance on a host, whoever's run it was. */
export async function listInstances({ shell }: XlHost, call: CallOptions): Promise<XlInstance[]> {
  const domains = new Map((await listDomains(shell, call)).map(({ name, state }) => [name, state]))
  const listed = await shell.demand(`ls ${folder} 2>/dev/null;:`, call)
  const written = listed.split('\n').flatMap(file => /^(gc-.+)\.cfg$/.exec(file)?.[1] ?? [])
  const claims = new Map((await listClaims(shell, call)).map(claim => [claim.instance, claim]))
  return [...new Set([...written, ...domains.keys(), ...claims.keys()])].flatMap(name => {
    const parts = readInstanceName(name)
    const { vm = name, kept = false } = claims.get(name) ?? {}
    const state = domains.get(vm) ?? null
    const common = { name, run: parts?.run ?? '', vm: vm === name ? null : vm, state }
    // What is there no more is not kept for anybody.
    return parts === null ? [] : [{ ...common, kept: kept && state !== null }]
  })
}

/** Gives back a VM that an instance was itself. */
async function releaseVm(
  host: XlHost,
  { instance, vm, ran, found, definition = '' }: Claim,
  call: CallOptions,
): Promise<void> {
  if (found !== undefined) {
    const text = await host.shell.demand(`cat ${definition}`, call)
    const place = { host, instance, domain: vm, file: definition, config: parseConfig(text) }
    await giveBack(xlVm(place), found, call.signal)
  } else if (!ran) {
    await endDomain(host, vm, call)
  }
  await removeClaim(host.shell, instance, call)
}

async function endDomain(host: XlHost, domain: string, { where, signal }: CallOptions): Promise<void> {
  const vm = xlVm({ host, instance: where, domain, file: '', config: new Map() })
  await awaitSent(vm, vm.kill(signal), signal)
}

/** Ends an instance and removes what was made for it, its configuration last; again, if need be. */
export async function removeInstance(host: XlHost, name: string, call: CallOptions): Promise<void> {
  if (readInstanceName(name) === null) {
    return
  }
  const { shell, limits } = host
  const claim = (await listClaims(shell, call)).find(({ instance }) => instance === name)
  if (claim !== undefined && claim.vm !== name) {
    await releaseVm(host, claim, call)
    return
  }
  await endDomain(host, name, call)
  const text = await shell.demand(`cat ${configFile(name)} 2>/dev/null;:`, call)
  const files = [
    ...foldersOf(text, name).map(folder => `${quote(`${folder}/${name}.`)}*`),
    ...[consoleLog(name), watcherLog(name), emulatorLog(name)].map(
      log => `${quote(log)} ${quote(`${log}.`)}*`,
    ),
  ]
  await shell.demand(`rm -f ${files.join(' ')}`, { ...call, limit: limits.storage })
  await removeClaim(shell, name, call)
  await shell.demand(`rm -f ${configFile(name)} ${configFile(name)}.new`, call)
}

/**
 * Where disks lie that bear the instance's name, which a base never does. Beside them lie those that were added to it,
 * and its snapshots.
 */
function foldersOf(text: string, instance: string): string[] {
  const disks = text.trim() === '' ? [] : parseConfig(text).get('disk')
  const files = (typeof disks === 'object' ? disks : [])
    .flatMap(disk => parseDisk(disk).target ?? [])
    .filter(file => posix.basename(file).startsWith(`${instance}.`))
  return [...new Set(files.map(file => posix.dirname(file)))]
}
