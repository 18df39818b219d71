import { nameOf, type Vm } from '../vm.js'
import type { OptionRule } from './parse.js'
import { attempt, type Command, domainOf, Failed, type Session } from './session.js'

const domain: OptionRule = { name: 'domain', kind: 'required' }

/** A command that does one thing to a domain and says so. */
function action(
  verb: string,
  done: string,
  work: (session: Session, vm: Vm) => Promise<void> | void,
  more: Partial<Command> = {},
): Command {
  return {
    options: [domain],
    ...more,
    run: async session => {
      const vm = domainOf(session)
      const named = session.generation.named(nameOf(vm))
      await attempt(session, `Failed to ${verb} domain ${named}`, () => work(session, vm))
      return `Domain ${named} ${done}\n`
    },
  }
}

/** Commands that start and end domains. */
export const lifecycleCommands: Readonly<Record<string, Command>> = {
  start: {
    options: [
      domain,
      { name: 'console', kind: 'flag', since: '0.8.0' },
      { name: 'paused', kind: 'flag', since: '0.8.2' },
      { name: 'autodestroy', kind: 'flag', since: '0.9.3' },
      { name: 'force-boot', kind: 'flag', since: '0.9.5' },
    ],
    run: async session => {
      const vm = domainOf(session)
      if (vm.running) throw new Failed(['Domain is already active'])
      const named = session.generation.named(nameOf(vm))
      await attempt(session, `Failed to start domain ${named}`, () =>
        session.hypervisor.start(vm, { paused: session.given.has('paused') }),
      )
      return `Domain ${named} started\n`
    },
  },
  shutdown: action('shutdown', 'is being shutdown', ({ hypervisor }, vm) => hypervisor.shutdown(vm), {
    options: [domain, { name: 'mode', kind: 'value', since: '0.9.10' }],
  }),
  reboot: action('reboot', 'is being rebooted', ({ hypervisor }, vm) => hypervisor.reboot(vm), {
    options: [domain, { name: 'mode', kind: 'value', since: '0.9.10' }],
  }),
  destroy: action('destroy', 'destroyed', ({ hypervisor }, vm) => hypervisor.destroy(vm), {
    options: [domain, { name: 'graceful', kind: 'flag', since: '0.9.10' }],
  }),
  suspend: action('suspend', 'suspended', ({ hypervisor }, vm) => hypervisor.suspend(vm)),
  resume: action('resume', 'resumed', ({ hypervisor }, vm) => hypervisor.resume(vm)),
  reset: action('reset', 'was reset', ({ hypervisor }, vm) => hypervisor.reset(vm), {
    since: '0.9.7',
    notOnXen: 'virDomainReset',
  }),
  'inject-nmi': {
    since: '0.9.2',
    notOnXen: 'virDomainInjectNMI',
    options: [domain],
    run: async session => {
      const vm = domainOf(session)
      await attempt(session, undefined, () => session.hypervisor.nmi(vm))
      return ''
    },
  },
  undefine: {
    options: [
      domain,
      { name: 'managed-save', kind: 'flag', since: '0.9.4' },
      { name: 'snapshots-metadata', kind: 'flag', since: '0.9.5' },
      { name: 'remove-all-storage', kind: 'flag', since: '0.9.13' },
      { name: 'nvram', kind: 'flag', since: '1.2.9' },
      { name: 'keep-nvram', kind: 'flag', since: '2.3.0' },
    ],
    run: async session => {
      const vm = domainOf(session)
      const { generation, hypervisor, given } = session
      const named = generation.named(nameOf(vm))
      const failed = `Failed to undefine domain ${named}`
      if (vm.running && !generation.has('0.9.4')) {
        throw new Failed([failed, 'Requested operation is not valid: cannot undefine active domain'])
      }
      if (vm.snapshots.size > 0 && !given.has('snapshots-metadata') && generation.has('0.9.5')) {
        const count = vm.snapshots.size
        throw new Failed([
          failed,
          `Requested operation is not valid: cannot delete inactive domain with ${count} snapshots`,
        ])
      }
      await attempt(session, failed, () => hypervisor.undefine(vm))
      return `Domain ${named} has been undefined\n`
    },
  },
}
