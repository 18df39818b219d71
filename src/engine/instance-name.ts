import type { InstanceRequest } from './instance.js'

/** Instances are named after the run, so that what a dead runner left can be found. */
export function instanceName({
  environment,
  number,
  settings,
}: Pick<InstanceRequest, 'environment' | 'number' | 'settings'>): string {
  const index = settings.plan.environments.indexOf(environment) + 1
  return `gc-${settings.run}-e${index}-${number}`
}
