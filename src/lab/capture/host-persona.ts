import type { Host } from '../../config/model.js'
import type { PersonaFile } from './capture.js'
import { personaYaml } from './yaml.js'

/** Whose persona is made, and by whom. */
export interface PersonaRequest {
  readonly host: Pick<Host, 'id' | 'product' | 'version'>
  /** What the persona shall be called. */
  readonly name: string
  /** `guestcert 1.2.3`, for the head of the file. */
  readonly program: string
  readonly now: Date
}

/** What came of a host's capture. */
export interface CapturedHost {
  readonly persona: PersonaFile
  /** What could not be read and is assumed, for people. */
  readonly warnings: readonly string[]
}

/** What was learnt of a host, whatever it is spoken to with. */
export interface LearntOfHost {
  /** What follows the name of its system: `with Xen 4.17`. */
  readonly title: string
  /** The system as it calls itself, and its word in os-release(5). */
  readonly system: { readonly pretty: string | null; readonly id: string }
  /** The persona whose guests see what its guests are taken to see. */
  readonly seen: string
  /** Machines that an emulated one can run on, by the system's word, and the one for all others. */
  readonly machines: Readonly<Record<string, string>>
  readonly otherMachine: string
  /** The sections of its persona, each with its provenance. */
  readonly sections: Readonly<Record<string, unknown>>
  /** What it was asked with, for the head of the file. */
  readonly asked: string
  readonly warnings: readonly string[]
}

/** Writes a host's persona; pure. */
export function hostPersona(
  { host, name, program, now }: PersonaRequest,
  { title, system: { pretty, id }, seen, machines, otherMachine, sections, asked, warnings }: LearntOfHost,
): CapturedHost {
  const content = {
    persona: name,
    kind: 'host',
    title: `${pretty ?? `${host.product} ${host.version}`} ${title}`,
    extends: seen,
    machine: { from: 'assumed', persona: machines[id] ?? otherMachine },
    ...sections,
  }
  const head = [
    `Captured by ${program} on ${now.toISOString().slice(0, 10)} from a live host:`,
    `${host.product} ${host.version}, with ${asked}.`,
    `What its guests see is not to be had from it: that is ${seen}'s, as captured or assumed there.`,
    'Without addresses of the host, names, keys and UUIDs. Made anew with "guestcert capture".',
  ]
  return {
    persona: { name, text: personaYaml(content, head) },
    warnings: [
      `what its guests see is taken from the persona ${seen}: capture a guest to know it`,
      ...(machines[id] === undefined
        ? [`no machine is known for "${id}": it logs in as ${otherMachine} does`]
        : []),
      ...warnings,
    ],
  }
}
