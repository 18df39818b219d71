import { type Claim, parseClaims } from '../shared/claims.js'
import { readInventory } from './api/properties.js'
import { beginTask, finishTask } from './api/task.js'
import { type Attribute, listAttributes, makeAttribute, textsIn, writeAttribute } from './attributes.js'
import { childrenOf, type find, type Reference, textAt } from './soap/element.js'
import type { CallOptions } from './soap/session.js'
import { tag } from './soap/write.js'
import type { VsphereHost } from './vm.js'

/** The attribute of a machine, and the key of its configuration where the server has no attributes. */
const claimName = 'guestcert'

/** A machine of the site, and what an instance has written down on it. */
export interface Claimed {
  readonly self: Reference
  readonly name: string
  readonly state: string
  readonly host: string
  readonly claim: Claim | null
}

/** Every machine of a site, with its claim. */
export async function listMachines(host: VsphereHost, options: CallOptions): Promise<readonly Claimed[]> {
  const { session } = host.site
  const attribute = await claimAttribute(host, options)
  const paths = [
    'name',
    'runtime.powerState',
    'runtime.host',
    attribute === null ? 'config.extraConfig' : 'customValue',
  ]
  const read = await readInventory(session, { VirtualMachine: paths }, options)
  return read.map(each => ({
    self: each.self,
    name: each.text('name') ?? '',
    state: each.text('runtime.powerState') ?? 'unknown',
    host: each.text('runtime.host') ?? '',
    claim: readClaim(
      attribute === null
        ? extraIn(each.at('config.extraConfig'))
        : (textsIn(each.at('customValue')).get(attribute?.key ?? -1) ?? ''),
    ),
  }))
}

/** Writes down on a machine which instance it is, whole or not at all; `null` takes it away. */
export async function writeMachineClaim(
  host: VsphereHost,
  machine: Reference,
  claim: Claim | null,
  options: CallOptions,
): Promise<void> {
  const { session } = host.site
  const text = claim === null ? '' : JSON.stringify(claim)
  const known = await claimAttribute(host, options)
  if (known === null) {
    const extra = tag('extraConfig', [tag('key', claimName), tag('value', text, 'xsd:string')])
    const call = { self: machine, method: 'ReconfigVM_Task', args: [tag('spec', [extra])] }
    const task = await beginTask(session, call, options)
    await finishTask(session, task, host.limits.lookEvery.ms, options)
    return
  }
  if (known === undefined && claim === null) {
    return
  }
  const made = known ?? (await makeAttribute(session, claimName, 'VirtualMachine', options))
  const attribute = made ?? (await claimAttribute(host, options))
  if (attribute) {
    await writeAttribute(session, machine, attribute, text, options)
  }
}

/** `null` where the server has no attributes, `undefined` where nobody has made this one yet. */
async function claimAttribute(
  host: VsphereHost,
  options: CallOptions,
): Promise<Attribute | undefined | null> {
  const all = await listAttributes(host.site.session, options)
  return all === null ? null : all.find(({ name }) => name === claimName)
}

/** The claim in a text, `null` where there is none of ours. */
function readClaim(text: string): Claim | null {
  return parseClaims(text)[0] ?? null
}

function extraIn(options: Parameters<typeof find>[0]): string {
  const own = childrenOf(options, 'OptionValue').find(each => textAt(each, 'key') === claimName)
  return textAt(own, 'value') ?? ''
}
