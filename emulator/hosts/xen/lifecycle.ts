import { Trouble } from '../trouble.js'
import { nameOf, type Vm, xmlOf } from '../vm.js'
import { text } from '../xml.js'
import {
  dom0,
  Ended,
  type Found,
  find,
  first,
  noType,
  type Session,
  tell,
  undone,
  type Verb,
} from './session.js'
import { rebootLog } from './watcher.js'

const simple = { flags: 'vtTf', words: '<Domain>', least: 1 } as const
/** How often a domain that is waited for is looked at, in ms. */
const lookEveryMs = 100

const destroy: Verb = {
  ...simple,
  words: '[options] <Domain>\n',
  does: 'Terminate a domain immediately',
  about: `-f                      Permit destroying domain 0, which will only succeed
                        when run from disaggregated toolstack domain with a
                        hardware domain distinct from domain 0.`,
  options: 'f',
  run: async session => {
    const { id, vm } = first(session)
    if (id === 0) {
      throw new Ended([
        'Not destroying domain 0; use -f to force.',
        'This can only be done when using a disaggregated hardware domain and toolstack.',
        '',
      ])
    }
    if (!vm) throw new Ended([...undone(id), 'destroy failed (rc=-21)'])
    try {
      await session.host.hypervisor.destroy(vm)
    } catch (error) {
      // What libxl says of one that does not go is assumed.
      if (error instanceof Trouble) throw new Ended([...undone(id), 'destroy failed (rc=-3)'])
      throw error
    }
    return 0
  },
}

/** Xen counts: a domain that was paused twice goes on when it was unpaused twice. */
const pauses = new WeakMap<Vm, number>()

const pause: Verb = {
  ...simple,
  does: 'Pause execution of a domain',
  run: async session => {
    const { id, vm } = first(session)
    const where = id === 0 ? '' : `Domain ${id}:`
    const why = id === 0 ? 'Invalid argument' : 'No such process'
    if (vm) {
      pauses.set(vm, vm.state === 'paused' ? (pauses.get(vm) ?? 1) + 1 : 1)
      session.host.hypervisor.suspend(vm)
    } else {
      await tell(session, [
        `libxl: error: libxl_domain.c:587:libxl_domain_pause: ${where}Pausing domain: ${why}`,
      ])
    }
    return 0
  },
}

const unpause: Verb = {
  ...simple,
  does: 'Unpause a paused domain',
  run: async session => {
    const { id, vm } = first(session)
    if (vm?.state === 'paused') {
      const left = (pauses.get(vm) ?? 1) - 1
      pauses.set(vm, left)
      if (left <= 0) session.host.hypervisor.resume(vm)
    } else if (vm) {
      await tell(session, [
        `libxl: error: libxl_domain.c:688:domain_unpause_done: Domain ${id}:Unpausing domain: Invalid argument`,
      ])
    } else if (id !== 0) await tell(session, [noType(id)])
    return 0
  },
}

/** shutdown and reboot: both ask the guest, for one domain or for all. */
function asking(
  does: string,
  doing: string,
  failed: string,
  action: (session: Session, vm: Vm) => Promise<void> | void,
): Verb {
  return {
    ...simple,
    words: '[options] <-a|Domain>',
    does,
    about: `-a, --all               ${doing.split(' ')[0]} all guest domains.
-h                      Print this help.
-F                      Fallback to ACPI ${failed} event for HVM guests with
                        no PV drivers.
-w, --wait              Wait for guest(s) to ${failed}.`,
    options: 'aFw',
    long: { all: 'a', wait: 'w' },
    least: 0,
    run: async session => {
      const { hypervisor } = session.host
      if (session.words.length === 0 && !session.options.has('a')) {
        throw new Ended(['You must specify -a or a domain id.', ''])
      }
      const found: Found[] = session.options.has('a')
        ? hypervisor.list().flatMap(vm => (vm.running ? [{ id: vm.running.id, vm }] : []))
        : [first(session)]
      for (const { id, vm } of found) {
        await tell(session, [`${doing} domain ${id}`])
        if (!vm) throw new Ended([noType(id), `${failed} failed (rc=-3)`])
        await action(session, vm)
      }
      if (session.options.has('w')) await waitFor(session, found)
      return 0
    },
  }
}

async function waitFor(session: Session, found: readonly Found[]): Promise<void> {
  await tell(session, [`Waiting for ${found.length} domains`])
  for (const { id, vm } of found) {
    while (vm?.running) await session.call.process.sleep(lookEveryMs)
    await tell(session, [`Domain ${id} has been shut down, reason code 0`])
  }
}

const shutdown = asking('Issue a shutdown signal to a domain', 'Shutting down', 'shutdown', ({ host }, vm) =>
  host.hypervisor.shutdown(vm),
)

const reboot = asking(
  'Issue a reboot signal to a domain',
  'Rebooting',
  'reboot',
  async ({ host, call }, vm) => {
    if (!vm.running) return
    const { id } = vm.running
    await host.hypervisor.reboot(vm)
    rebootLog(host.hypervisor.tree, nameOf(vm), id, vm.running?.id ?? id, call.process.pid)
  },
)

const triggers = ['nmi', 'reset', 'init', 'power', 'sleep', 's3resume']

const trigger: Verb = {
  ...simple,
  words: '<Domain> <nmi|reset|init|power|sleep|s3resume> [<VCPU>]',
  does: 'Send a trigger to a domain',
  least: 2,
  run: async session => {
    const { id, vm } = first(session)
    const name = session.words[1] ?? ''
    if (!triggers.includes(name)) throw new Ended([`Invalid trigger "${name}"`])
    const sent = 'libxl: error: libxl_domain.c:2207:libxl_send_trigger'
    const failed = (why: string): string => `${sent}: Domain ${id}:Send trigger '${name}' failed: ${why}`
    if (!vm) await tell(session, [failed('No such process')])
    else if (name === 'nmi') session.host.hypervisor.nmi(vm)
    else if (text(xmlOf(vm), 'os', 'type') === 'hvm') hvmTrigger(session, vm, name)
    else if (name === 's3resume') {
      await tell(session, [
        `libxl: error: libxl_domain.c:2162:domain_s3_resume_done: Domain ${id}:Send trigger 's3resume' failed, rc=-6`,
      ])
    } else
      await tell(session, [
        failed(name === 'reset' || name === 'init' ? 'Function not implemented' : 'Invalid argument'),
      ])
    return 0
  },
}

/** HVM guests have the buttons that PV guests lack. */
function hvmTrigger({ host }: Session, vm: Vm, name: string): void {
  if (name === 'power') host.hypervisor.shutdown(vm)
}

const sysrq: Verb = {
  ...simple,
  words: '<Domain> <letter>',
  does: 'Send a sysrq to a domain',
  least: 2,
  run: session => {
    first(session)
    return 0
  },
}

const rename: Verb = {
  ...simple,
  words: '<Domain> <NewDomainName>',
  does: 'Rename a domain',
  least: 2,
  run: session => {
    const [word = '', name = ''] = session.words
    const { id, vm } = find(session.host, word)
    if (!vm) throw new Ended([`Can't rename domain '${word}'.`])
    const others = session.host.hypervisor.list().filter(one => one.running && one !== vm)
    if (name === dom0 || others.some(one => nameOf(one) === name)) {
      throw new Ended([
        `libxl: error: libxl_domain.c:81:libxl__domain_rename: Domain ${id}:Domain with name "${name}" already exists.`,
        `Can't rename domain '${word}'.`,
      ])
    }
    const element = xmlOf(vm).children.find(child => typeof child !== 'string' && child.name === 'name')
    if (typeof element === 'object') element.children = [name]
    return 0
  },
}

export const lifecycleVerbs: Readonly<Record<string, Verb>> = {
  destroy,
  pause,
  unpause,
  shutdown,
  reboot,
  trigger,
  sysrq,
  rename,
}
