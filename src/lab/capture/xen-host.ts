import { UsageError } from '../../config/errors.js'
import { makeScrub } from '../../text/scrub.js'
import { productOf } from './host-answers.js'
import { type CapturedHost, hostPersona, type PersonaRequest } from './host-persona.js'
import { captured } from './subject.js'
import { type XenAnswers, xenNetworkOf, xenNodeOf, xenOf } from './xen-answers.js'

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
export function makeXenPersona(request: PersonaRequest, answers: XenAnswers): CapturedHost {
  const { host } = request
  const node = xenNodeOf(answers)
  if (node.model !== 'x86_64') {
    throw new UsageError(`host "${host.id}" is ${String(node.model)}: personas are x86_64`)
  }
  const { pretty, id } = productOf(answers)
  const scrub = makeScrub([answers.name?.trim() ?? ''], [id, host.product, 'xen'])
  const xen = xenOf(answers, scrub)
  const network = xenNetworkOf(answers, scrub)
  return hostPersona(request, {
    title: `with Xen ${String(xen.version)}`,
    system: { pretty, id },
    seen,
    machines,
    otherMachine,
    sections: {
      node: captured(node),
      xen: captured(xen),
      network: network === null ? usualNetwork : captured(network),
    },
    asked: 'xl info, xl list and the bridges of its first domain',
    warnings: [
      ...(network === null ? ['it has no bridge: the usual one is assumed'] : []),
      ...(answers.images === undefined
        ? ['it has no folder of images in the usual place: none is said']
        : []),
    ],
  })
}
