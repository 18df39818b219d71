import { join, posix } from 'node:path'
import { quote } from '../../remote/index.js'
import type { Ability, Access, GuestRequest } from '../driver.js'
import { imageFacts } from '../image-identity.js'
import { type Command, sent, type VmBackend, type VmCommands } from '../managed-vm/backend.js'
import { accessAt } from '../reach.js'
import { lookInFiles, waitForAddresses } from '../shared/addresses.js'
import { newClaim, removeClaim, writeClaim } from '../shared/claims.js'
import { fetchLog } from '../shared/evidence.js'
import { type CallOptions, refused } from '../shared/host-commands.js'
import { makeFile } from '../shared/storage.js'
import { cloneConfig } from './clone.js'
import { type DomainConfig, parseConfig, writeConfig } from './config.js'
import { differences, diskModelOf, memoryMiBOf, modeOf, understood, vcpusOf } from './declared.js'
import { callOf, type XlPlace, xlVm } from './domain-vm.js'
import type { XlHost } from './host.js'
import { createHotplug, type Hotplug } from './hotplug.js'
import { configFile, removeInstance, writeInstance } from './instances.js'
import { consoleLog, watcherLog } from './logs.js'
import { createSnapshots, type Snapshots } from './snapshots.js'

/** What is learned of an instance's host before it is prepared. */
export interface Below {
  /** The keys of a guest whose login says `image`. */
  readonly keys: Pick<Access, 'keyPath' | 'hostKey'>
  readonly abilities: ReadonlySet<Ability>
  /** Facts of the host that say what the guest runs on. */
  readonly facts: Readonly<Record<string, string>>
}

export interface XlBackendRequest {
  readonly host: XlHost
  readonly request: GuestRequest
  /** How a person gets to the host, one line. */
  readonly login: string
  /** Asked when the instance is prepared. */
  readonly below: (signal: AbortSignal) => Promise<Below>
}

/** What an instance's own domain has besides what it was created with. */
interface Own {
  readonly hotplug: Hotplug
  readonly snapshots: Snapshots
}

/** One domain of xl's as `ManagedVm` drives it. */
export function xlBackend({ host, request, login, below: askBelow }: XlBackendRequest): VmBackend {
  const { instance, placement } = request
  const { clean, vm: named } = placement
  const { limits } = host
  const lent = clean.kind === 'none'
  const place: XlPlace = {
    host,
    instance,
    domain: lent ? posix.basename(named ?? '', '.cfg') : instance,
    file: configFile(instance),
    config: new Map(),
  }
  const vm = xlVm(place)
  let below: Below = { keys: {}, abilities: new Set(), facts: {} }
  let image: Readonly<Record<string, string>> = {}
  let macs: readonly string[] = []
  let own: Own | null = null
  const quick = (signal: AbortSignal): CallOptions => callOf(place, limits.command, signal)
  const owned = (): Own => {
    if (own === null) {
      throw refused(instance, 'only of an instance that is a domain of its own')
    }
    return own
  }
  /** Made anew from its configuration: what was added to it while it ran is gone. */
  const anew =
    (command: Command): Command =>
    async signal => {
      const made = await command(signal)
      const finish = async (until: AbortSignal): Promise<void> =>
        own?.hotplug.becomes(new Map(), quick(until))
      return { ...made, finish }
    }

  return {
    ...vm,
    graceMs: limits.restart.ms,
    lent,
    // A domain is ended and created anew: its id tells.
    proofs: { reset: 'incarnation' },
    get keepHint() {
      return `${login} -t xl console ${quote(place.domain)}`
    },
    prepare: async signal => {
      below = await askBelow(signal)
      const template = await readTemplate(host, request, quick(signal))
      if (lent) {
        place.domain = String(template.config.get('name') ?? named)
        place.file = template.file
        place.config = template.config
        return
      }
      await clone(template, signal)
    },
    claim: async (found, signal) => {
      await writeClaim(
        host.shell,
        { ...newClaim(instance, place.domain, found), definition: place.file },
        quick(signal),
      )
    },
    begin: anew(vm.start),
    start: anew(vm.start),
    reset: anew(vm.reset),
    describe: async signal => {
      if (lent) {
        // Its configuration need not say what addresses its cards have.
        macs = (await vm.observe({ devices: true }, signal)).devices?.nics ?? []
      }
      const facts = { ...factsOf(place.config), ...image, ...below.facts, domain: place.domain }
      return { host: host.id, incarnation: null, abilities: below.abilities, console: null, facts }
    },
    watch: tell => host.watch.add(place.domain, tell),
    access: async (limit, signal) => {
      const call = quick(signal)
      const wait = { host: host.id, macs, call, limit, everyMs: limits.lookEvery.ms }
      const addresses =
        placement.endpoint === undefined
          ? await waitForAddresses(() => lookInFiles(host.shell, { macs, call }), wait)
          : []
      const via = placement.viaHost ? { via: await host.connection.machine(signal) } : {}
      return { ...accessAt(placement.endpoint, addresses), ...below.keys, ...via }
    },
    // What leaves files beside the disks: only an instance's own domain has it.
    ...(lent ? {} : ownCommands()),
    collect: async (when, signal) => {
      const logs = [
        [consoleLog(place.domain), 'console.log'],
        [watcherLog(place.domain), 'xl.log'],
      ] as const
      for (const [file, name] of when === 'end' ? logs : []) {
        const call = callOf(place, limits.evidence, signal)
        // A log that cannot be had is not a reason to leave a guest half undone.
        await fetchLog(host.shell, file, join(request.evidenceFolder, name), call).catch(() => {})
      }
    },
    remove: signal =>
      lent ? removeClaim(host.shell, instance, quick(signal)) : removeInstance(host, instance, quick(signal)),
    keep: (found, signal) =>
      writeClaim(
        host.shell,
        { ...newClaim(instance, place.domain, found), definition: place.file, kept: true },
        quick(signal),
      ),
  }

  function ownCommands(): VmCommands {
    return {
      snapshot: async (name, signal) => {
        await owned().snapshots.take(name, quick(signal))
        return sent()
      },
      revert: async (name, signal) => {
        await owned().snapshots.revert(name, quick(signal))
        return sent()
      },
      deleteSnapshot: async (name, signal) => {
        await owned().snapshots.remove(name, quick(signal))
        return sent()
      },
      attachDisk: (sizeBytes, signal) => owned().hotplug.attachDisk(sizeBytes, signal),
      detachDisk: (vdev, signal) => owned().hotplug.detachDisk(vdev, signal),
      attachNic: signal => owned().hotplug.attachNic(signal),
      detachNic: (mac, signal) => owned().hotplug.detachNic(mac, signal),
    }
  }

  /** Makes a domain of the instance's own, whose disks are copies. */
  async function clone({ file, config }: Template, signal: AbortSignal): Promise<void> {
    if (clean.kind !== 'copy') {
      throw refused(instance, `clean: the driver xl knows "copy" and "none", not "${clean.kind}"`)
    }
    const because = (why: string): Error => refused(instance, `${file} on ${host.id}: ${why}`)
    const keepMacs = placement.endpoint !== undefined
    const { path } = clean
    const cloned = understood(() => cloneConfig({ template: config, instance, path, keepMacs }), because)
    const written = understood(() => writeConfig(cloned.config), because)
    // What an earlier try left is in the way.
    await removeInstance(host, instance, quick(signal))
    await writeInstance(host.shell, instance, written, quick(signal))
    const storing = callOf(place, limits.storage, signal)
    const from = cloned.files.map(each => each.from)
    image = await imageFacts(from, `${instance} on ${host.id}`, command =>
      host.shell.demand(command, storing),
    )
    for (const each of cloned.files) {
      await makeFile(host.shell, { ...each, how: 'copy' }, storing)
    }
    place.config = cloned.config
    macs = cloned.macs
    const [first, ...others] = cloned.files.map(({ to }) => to)
    if (first !== undefined) {
      const hotplug = createHotplug(place, posix.dirname(first))
      own = { hotplug, snapshots: createSnapshots({ place, disks: [first, ...others], hotplug }) }
    }
  }
}

interface Template {
  /** Its file, as a word of a shell command. */
  readonly file: string
  readonly config: DomainConfig
}

/** The VM's configuration, which must be as the lab declares it. */
async function readTemplate(
  host: XlHost,
  { instance, placement }: GuestRequest,
  call: CallOptions,
): Promise<Template> {
  const { vm } = placement
  if (vm === undefined) {
    throw refused(instance, 'the lab names no "vm" for it')
  }
  const file = quote(vm.startsWith('/') ? vm : `/etc/xen/${vm}.cfg`)
  const text = await host.shell.demand(`cat ${file}`, call)
  const because = (why: string): Error => refused(instance, `${file} on ${host.id}: ${why}`)
  const config = understood(() => parseConfig(text), because)
  const differs = understood(() => differences(config, placement.configuration), because)
  if (differs.length > 0) {
    throw refused(instance, `the VM ${vm} is not as the lab declares it: ${differs.join('; ')}`)
  }
  return { file, config }
}

function factsOf(config: DomainConfig): Record<string, string> {
  const disk = diskModelOf(config)
  return {
    'vm mode': modeOf(config),
    'vm vcpus': String(vcpusOf(config)),
    'vm memory': `${memoryMiBOf(config)} MiB`,
    ...(disk === undefined ? {} : { disk }),
  }
}
