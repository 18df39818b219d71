import { z } from 'zod'
import type { Power } from '../managed-vm/observation.js'
import { hostError } from '../shared/host-commands.js'
import { UnknownOutput } from '../shared/unknown-output.js'
import type { Row } from './ask.js'

/**
 * The rows that the texts give, read strictly: what is not understood is an error, never a guess. Numbers come as text,
 * and truth as `True` and `False`.
 */
const number = z.string().regex(/^\d+$/).transform(Number)
const truth = z.enum(['True', 'False']).transform(text => text === 'True')
const guid = z.string().regex(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i)
const list = z.array(z.string())
const optional = z.string().nullable()
const state = z.string().transform(wordOf)

const schemas = {
  listed: z.object({ id: guid, name: z.string(), state, notes: optional }),
  state: z.object({ id: guid, name: z.string(), state }),
  looked: z.object({
    id: guid,
    name: z.string(),
    state,
    generation: number,
    clustered: truth,
    cpus: number,
    startup: number,
    assigned: number,
    dynamic: truth,
    secureBoot: optional,
    disks: list,
    nics: list,
    snapshots: list,
    notes: optional,
  }),
  facts: z.object({
    product: z.string(),
    build: number,
    revision: optional,
    name: z.string(),
    cpus: number,
    memory: number,
    folder: z.string(),
    cpu: optional,
    machine: optional,
    firmware: optional,
  }),
  made: z.object({ id: guid }),
  answered: z.object({ code: z.string() }),
  place: z.object({ number, location: number }),
  picture: z.object({ code: z.string(), width: number, height: number, image: z.string() }),
  addresses: z.object({ mac: z.string(), given: list, seen: list }),
  image: z.object({ path: z.string(), format: z.string(), sha256: z.string().regex(/^([0-9a-f]{64})?$/) }),
  text: z.object({ text: z.string() }),
  parent: z.object({ parent: optional }),
  exists: z.object({ exists: truth }),
  name: z.object({ name: z.string() }),
  space: z.object({ bytes: number }),
} as const

type Kind = keyof typeof schemas
/** A row of a kind, as it is read. */
export type Read<K extends Kind> = z.infer<(typeof schemas)[K]>

/** Reads rows of one kind. Throws {@link UnknownOutput}. */
export function readRows<K extends Kind>(kind: K, rows: readonly Row[]): Read<K>[] {
  return rows.map(row => {
    const parsed = schemas[kind].safeParse(row)
    if (!parsed.success) {
      const wrong = parsed.error.issues.map(({ path }) => path.join('.')).join(', ')
      throw new UnknownOutput(`what the host says (${wrong})`, JSON.stringify(row))
    }
    return parsed.data as Read<K>
  })
}

/** Reads the one row of a kind. Throws {@link UnknownOutput}. */
export function readRow<K extends Kind>(kind: K, rows: readonly Row[]): Read<K> {
  const [row, ...others] = readRows(kind, rows)
  if (row === undefined || others.length > 0) {
    throw new UnknownOutput('what the host says', `${rows.length} rows`)
  }
  return row
}

/** Reads what a host said. Throws InfraError naming the host for what is not understood. */
export function understand<T>(host: string, reading: () => T): T {
  try {
    return reading()
  } catch (error) {
    throw error instanceof UnknownOutput ? hostError(host, `${host}: ${error.message}`) : error
  }
}

/** What a virtual machine does, and what of it needs a person. */
export interface State {
  readonly power: Power
  readonly question?: string
}

/** The states of Microsoft.HyperV.PowerShell.VMState: https://github.com/taliesins/terraform-provider-hyperv api/vm_status.go */
const powers: Readonly<Record<string, Power>> = {
  Other: 'busy',
  Running: 'on',
  Off: 'off',
  Stopping: 'ending',
  // Its memory is on a disk: it goes on when it is started.
  Saved: 'paused',
  FastSaved: 'paused',
  Paused: 'paused',
  Starting: 'busy',
  Reset: 'busy',
  Saving: 'busy',
  Snapshotting: 'busy',
  Pausing: 'busy',
  Resuming: 'busy',
  FastSaving: 'busy',
  ForceShutdown: 'ending',
  ForceReboot: 'busy',
}

/**
 * EnabledState of `root\virtualization`, in the words of later versions (nova's vmutils.py; os-win's constants for the
 * passing ones). HealthState follows where it is 20 or worse (DMTF, CIM_ManagedSystemElement).
 */
const enabledStates: Readonly<Record<string, string>> = {
  2: 'Running',
  3: 'Off',
  10: 'Reset',
  32768: 'Paused',
  32769: 'Saved',
  32770: 'Starting',
  32771: 'Snapshotting',
  32773: 'Saving',
  32774: 'Stopping',
  32776: 'Pausing',
  32777: 'Resuming',
}

/** A state in words, where it is told as a number; another one as it is. */
function wordOf(said: string): string {
  const [, number = '', health] = /^(\d+)(\/\d+)?$/.exec(said) ?? []
  const word = enabledStates[number]
  return word === undefined ? said : `${word}${health === undefined ? '' : 'Critical'}`
}

/** Reads a state. `…Critical` is one whose disk the host has lost, which goes on when a person has mended that. */
export function stateOf(said: string): State {
  const [, word = '', critical] = /^(\w+?)(Critical)?$/.exec(said) ?? []
  const power = powers[word]
  if (power === undefined) {
    throw new UnknownOutput('the state of a virtual machine', said)
  }
  return critical === undefined || power === 'off'
    ? { power }
    : { power, question: `its state is ${said}: the host cannot reach its storage, or has no space left` }
}

/** A virtual disk that a machine has. */
export interface Drive {
  readonly type: 'IDE' | 'SCSI'
  readonly number: number
  readonly location: number
  readonly path: string
}

/** Reads a drive as the text `look` writes it. */
export function driveOf(text: string): Drive {
  const [type, number, location, path] = text.split('\t')
  if ((type !== 'IDE' && type !== 'SCSI') || !/^\d+$/.test(number ?? '') || !/^\d+$/.test(location ?? '')) {
    throw new UnknownOutput('a disk', text)
  }
  return { type, number: Number(number), location: Number(location), path: path ?? '' }
}

/** A network card that a machine has. */
export interface Card {
  /** In lower case with colons; of zeros for one that has none yet. */
  readonly mac: string
  readonly switchName: string
  readonly isLegacy: boolean
}

/** Reads a card as the text `look` writes it. */
export function cardOf(text: string): Card {
  const [mac = '', switchName = '', legacy] = text.split('\t')
  return { mac: macOf(mac), switchName, isLegacy: legacy === 'True' }
}

/** `00155DCC89B1` as `00:15:5d:cc:89:b1`. */
export function macOf(text: string): string {
  if (!/^[0-9A-F]{12}$/i.test(text)) {
    throw new UnknownOutput('a MAC address', text)
  }
  return (text.match(/../g) ?? []).join(':').toLowerCase()
}

/** A checkpoint of a machine, as the text `look` writes it. */
export function snapshotOf(text: string): { readonly id: string; readonly name: string } {
  const [id = '', ...name] = text.split('\t')
  return { id, name: name.join('\t') }
}
