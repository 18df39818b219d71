import type { Guest, Host, Placement } from '../../config/model.js'
import type { Scrub } from '../../text/scrub.js'
import type { KeyExchange } from './key-exchange.js'
import { type Answers, linesOf, textOf, wordOf } from './probe.js'

/** All that was learnt of one guest, and what the lab says of it. */
export interface Subject {
  readonly guest: Guest
  readonly host: Host
  readonly placement: Placement
  readonly answers: Answers
  readonly ssh: KeyExchange
  readonly scrub: Scrub
}

/** A fact of a persona: where it comes from, and its values. */
export type Fact = { readonly from: 'captured' } & Readonly<Record<string, unknown>>

/** States a fact that was seen on the guest. */
export function captured(values: Readonly<Record<string, unknown>>): Fact {
  return { from: 'captured', ...values }
}

/** The first paragraph of /proc/cpuinfo, in its order. */
export function cpuFields({ answers }: Subject): Map<string, string> {
  const [first = ''] = textOf(answers, 'cpuinfo').split('\n\n')
  return new Map(
    first
      .split('\n')
      .filter(line => line.includes(':'))
      .map(line => [line.slice(0, line.indexOf(':')).trim(), line.slice(line.indexOf(':') + 1).trim()]),
  )
}

/** Lines of `name=value`; a name alone has no value. */
export function pairsOf(answers: Answers, question: string): [name: string, value: string | null][] {
  return linesOf(answers, question).map(line => {
    const at = line.indexOf('=')
    return at < 0 ? [line.trim(), null] : [line.slice(0, at), line.slice(at + 1).trim()]
  })
}

export type HypervisorId = 'kvm' | 'qemu' | 'xen' | 'hyper-v' | 'vmware' | 'none'

/** The hypervisor as the guest finds it, in a persona's words. */
export function hypervisorOf(subject: Subject): HypervisorId {
  const { answers } = subject
  const dmi = new Map(pairsOf(answers, 'dmi'))
  const said = /Hypervisor detected: (\S+)/.exec(answers.get('log')?.text ?? '')?.[1] ?? ''
  const firmware = `${dmi.get('sys_vendor') ?? ''} ${dmi.get('product_name') ?? ''}`
  if (new Map(pairsOf(answers, 'hypervisor')).get('type') === 'xen' || /^Xen\b/.test(firmware)) {
    return 'xen'
  }
  if (/^VMware/.test(firmware)) {
    return 'vmware'
  }
  if (/^Microsoft Corporation Virtual Machine/.test(firmware)) {
    return 'hyper-v'
  }
  if (said === 'KVM' || wordOf(answers, 'clocksources').split(' ').includes('kvm-clock')) {
    return 'kvm'
  }
  return /^(?:QEMU|Bochs|Red Hat)\b/.test(firmware) ? 'qemu' : 'none'
}

/** Limits a group of facts to hypervisors and devices like those that it was seen with. */
export function seenWith(subject: Subject): Readonly<Record<string, unknown>> {
  const { disk, nic, firmware } = subject.placement.configuration
  return {
    hypervisor: [hypervisorOf(subject)],
    ...(disk === undefined ? {} : { disk: [disk] }),
    ...(nic === undefined ? {} : { nic: [nic] }),
    ...(firmware === undefined ? {} : { firmware }),
  }
}
