import { InfraError } from '../../config/errors.js'
import type { Placement } from '../../config/model.js'
import { type Properties, readObject } from './api/properties.js'
import { isSame, type Reference, referenceOf, textAt } from './soap/element.js'
import type { CallOptions } from './soap/session.js'
import type { VsphereHost } from './vm.js'

const paths = ['config.managedBy', 'config.ftInfo', 'config.template', 'runtime.host', 'name']

/**
 * Finds the virtual machine that a placement names. Throws InfraError for one that the lab is not to touch: that belongs
 * to a solution, such as those that a cluster makes for itself, or that is on another host.
 */
export async function usableMachine(
  host: VsphereHost,
  name: string,
  { clean }: Pick<Placement, 'clean'>,
  options: CallOptions,
): Promise<Reference> {
  const self = await host.site.machine(name, options)
  const read = await readObject(host.site.session, self, paths, options)
  const why = read === null ? 'it is gone' : whyNot(read, clean)
  if (why !== null) {
    throw new InfraError(`${options.where}: the virtual machine "${name}" cannot be used: ${why}`, {
      cause: 'host',
      where: options.where,
      code: 'driver',
    })
  }
  const on = referenceOf(read?.at('runtime.host'))
  const here = await host.here(options)
  // A clone is made here, wherever the one is that it is made of.
  if ((clean.kind === 'snapshot' || clean.kind === 'none') && !isSame(on, here.self)) {
    const there = on === undefined ? 'no host' : await host.site.hostName(on, options)
    throw new InfraError(
      `${options.where}: the virtual machine "${name}" is on ${there}, and the lab has it on ${here.name}: move it, and keep the cluster from moving it`,
      { cause: 'host', where: options.where, code: 'driver' },
    )
  }
  return self
}

/** Why a machine is not the lab's to touch, or `null`. */
export function whyNot(read: Properties, clean: Placement['clean']): string | null {
  const owner = textAt(read.at('config.managedBy'), 'extensionKey')
  if (owner !== undefined && owner !== '') {
    return `it belongs to ${owner}`
  }
  if (read.at('config.ftInfo') !== undefined) {
    return 'it is protected by Fault Tolerance'
  }
  const isTemplate = read.text('config.template') === 'true'
  return isTemplate && (clean.kind === 'snapshot' || clean.kind === 'none')
    ? 'it is a template: use "clean: { overlay: SNAPSHOT }" or "copy"'
    : null
}
