import type { LibvirtHostPersona } from '../../persona/schema.js'
import type { Call } from '../../system/programs.js'
import type { Hypervisor } from '../hypervisor.js'
import type { Site } from '../site.js'
import { Trouble } from '../trouble.js'
import type { Vm } from '../vm.js'
import type { Generation } from './generation.js'
import type { Given, OptionRule } from './parse.js'
import { messageOf } from './words.js'

/** What one command of virsh works with. */
export interface Session {
  readonly call: Call
  /** What is spoken to: the host's own libvirt, or another one's. */
  readonly hypervisor: Hypervisor
  /** The libvirt of the host on which virsh runs. */
  readonly local: Hypervisor
  readonly site: Site
  readonly persona: LibvirtHostPersona
  readonly generation: Generation
  readonly given: Given
  readonly isXen: boolean
}

/** A command of virsh: what it prints when it works. Throws {@link Failed}. */
export interface Command {
  readonly since?: string
  /** Drivers that have no such function say so. */
  readonly notOnXen?: string
  readonly options: readonly OptionRule[]
  run(session: Session): Promise<string> | string
}

/** A command that failed: its lines, each after `error: `. */
export class Failed extends Error {
  readonly lines: readonly string[]

  constructor(lines: readonly string[]) {
    super(lines.join('\n'))
    this.lines = lines
  }
}

/** The domain that a command names. Throws Failed. */
export function domainOf({ hypervisor, given, generation }: Session): Vm {
  const word = given.need('domain')
  try {
    return hypervisor.find(word)
  } catch (error) {
    if (!(error instanceof Trouble)) throw error
    const first = `failed to get domain '${word}'`
    // Newer virsh forgets the library's own words of a failed look-up.
    const isVerbose = generation.has('0.5.0') && !generation.has('4.0.0')
    throw new Failed(isVerbose ? [first, messageOf(error, generation)] : [first])
  }
}

/** Does something that may fail; `what` is virsh's own line about it. */
export async function attempt<T>(
  { generation }: Pick<Session, 'generation'>,
  what: string | undefined,
  work: () => Promise<T> | T,
): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof Trouble)) throw error
    const message = messageOf(error, generation)
    throw new Failed(what === undefined ? [message] : [what, message])
  }
}
