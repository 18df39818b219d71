import { UsageError } from '../../config/errors.js'
import type { CapturedHost, HostCaptureRequest } from './host.js'
import { productOf } from './host-answers.js'
import { makeScrub } from './scrub.js'
import { captured } from './subject.js'
import { type XenAnswers, xenNetworkOf, xenNodeOf, xenOf } from './xen-answers.js'
import { personaYaml } from './yaml.js'

/** Machines that an emulated Xen can run on, by the product's word in os-release(5). */
const machines: Readonly<Record<string, string>> = {
  debian: 'debian-12-xen-machine',
  sles: 'sles-xen-machine',
}
const otherMachine = 'debian-12-xen-machine'
/** What guests of Xen see, as a guest of the nearest one that was captured saw it. */
const seen = 'xen-4.17'
const usualNetwork = { from: 'assumed', kind: 'bridge', name: 'xenbr0', prefix: '192.0.2' }

/** Makes the persona of what a Xen host said; pure. Throws UsageError for a host that a persona cannot describe. */
export function makeXenPersona(
  { host, name, program, now }: Pick<HostCaptureRequest, 'host' | 'name' | 'program' | 'now'>,
  answers: XenAnswers,
): CapturedHost {
  const node = xenNodeOf(answers)
  if (node.model !== 'x86_64') {
    throw new UsageError(`host "${host.id}" is ${String(node.model)}: personas are x86_64`)
  }
  const { pretty, id } = productOf(answers)
  const scrub = makeScrub([answers.name?.trim() ?? ''], [id, host.product, 'xen'])
  const xen = xenOf(answers, scrub)
  const network = xenNetworkOf(answers, scrub)
  const machine = machines[id] ?? otherMachine
  const content = {
    persona: name,
    kind: 'host',
    title: `${pretty ?? `${host.product} ${host.version}`} with Xen ${String(xen.version)}`,
    extends: seen,
    machine: { from: 'assumed', persona: machine },
    node: captured(node),
    xen: captured(xen),
    network: network === null ? usualNetwork : captured(network),
  }
  const head = [
    `Captured by ${program} on ${now.toISOString().slice(0, 10)} from a live host:`,
    `${host.product} ${host.version}, with xl info, xl list and the bridges of its first domain.`,
    `What its guests see is not to be had from it: that is ${seen}'s, as captured or assumed there.`,
    'Without addresses of the host, names, keys and UUIDs. Made anew with "guestcert capture".',
  ]
  const warnings = [
    `what its guests see is taken from the persona ${seen}: capture a guest to know it`,
    ...(machines[id] === undefined
      ? [`no machine is known for "${id}": it logs in as ${otherMachine} does`]
      : []),
    ...(network === null ? ['it has no bridge: the usual one is assumed'] : []),
    ...(answers.images === undefined ? ['it has no folder of images in the usual place: none is said'] : []),
  ]
  return { persona: { name, text: personaYaml(content, head) }, warnings }
}
