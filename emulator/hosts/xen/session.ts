import { fromText } from '../../files/bytes.js'
import type { ManagedHostPersona } from '../../persona/schema.js'
import { writeTo } from '../../programs/io.js'
import type { Call } from '../../system/programs.js'
import type { Hypervisor } from '../hypervisor.js'
import type { Saved } from '../saving.js'
import { nameOf, type Vm } from '../vm.js'

/** What xl and xm speak to on a host. */
export interface XenHost {
  readonly hypervisor: Hypervisor
  readonly persona: ManagedHostPersona
  /** How much longer each command takes, in ms. */
  readonly slowMs: number
  /** What was saved, by the word that its file holds. */
  readonly saved: Map<string, Saved>
}

/** What one command of xl works with. */
export interface Session {
  readonly call: Call
  readonly host: XenHost
  /** What stands beside the options. */
  readonly words: readonly string[]
  /** The options that were given, by their letters, with their values. */
  readonly options: ReadonlyMap<string, string>
}

/** A command of xl. Resolves to its exit code. Throws {@link Ended}. */
export interface Verb {
  /** The options of xl itself that its usage names. */
  readonly flags: string
  readonly words: string
  readonly does: string
  /** The usage's lines on options. */
  readonly about?: string
  /** Letters of its options, a colon after those that take a value. */
  readonly options?: string
  readonly long?: Readonly<Record<string, string>>
  /** As many words it needs at least. */
  readonly least: number
  run(session: Session): Promise<number> | number
}

/** A command that failed: what it says on standard error, a line each, and its exit code. */
export class Ended extends Error {
  readonly lines: readonly string[]
  readonly code: number

  constructor(lines: readonly string[], code = 1) {
    super(lines.join('\n'))
    this.lines = lines
    this.code = code
  }
}

export async function say({ call }: Pick<Session, 'call'>, text: string): Promise<void> {
  await writeTo(call.process, 1, fromText(text))
}

/** Lines of standard error. */
export async function tell({ call }: Pick<Session, 'call'>, lines: readonly string[]): Promise<void> {
  await writeTo(call.process, 2, fromText(lines.map(line => `${line}\n`).join('')))
}

/** The name that the first domain has. */
export const dom0 = 'Domain-0'

/** A domain by its name or its number. What is written as a number is one, whether it is there or not. */
export interface Found {
  readonly id: number
  readonly vm: Vm | undefined
}

/** The domain that a word names. Throws Ended for a name that is none's. */
export function find({ hypervisor }: XenHost, word: string, code = ' (rc=-6)'): Found {
  const running = hypervisor.list().filter(vm => vm.running)
  if (/^\d+$/.test(word)) {
    return { id: Number(word), vm: running.find(vm => vm.running?.id === Number(word)) }
  }
  if (word === dom0) return { id: 0, vm: undefined }
  const vm = running.find(one => nameOf(one) === word)
  if (!vm?.running) throw new Ended([`${word} is an invalid domain identifier${code}`])
  return { id: vm.running.id, vm }
}

/** The domain that the first word names. */
export function first(session: Session): Found {
  return find(session.host, session.words[0] ?? '')
}

/** What libxl says when a domain that it was making is to be gone again. */
export function undone(id: number): string[] {
  return [
    `libxl: error: libxl_domain.c:1183:libxl__destroy_domid: Domain ${id}:Non-existant domain`,
    `libxl: error: libxl_domain.c:1137:domain_destroy_callback: Domain ${id}:Unable to destroy guest`,
    `libxl: error: libxl_domain.c:1064:domain_destroy_cb: Domain ${id}:Destruction of domain failed`,
  ]
}

/** What libxl says of a number that is no domain's. */
export function noType(id: number): string {
  return `libxl: error: libxl_dom.c:37:libxl__domain_type: unable to get domain type for domid=${id}`
}
