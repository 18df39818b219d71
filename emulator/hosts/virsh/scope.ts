import type { Affects } from '../hotplug.js'
import type { Vm } from '../vm.js'
import type { OptionRule } from './parse.js'
import type { Session } from './session.js'

/** The options by which a command says what of a domain it is about, since the version that brought them. */
export function scopeOptions(since: string): OptionRule[] {
  return [
    { name: 'config', kind: 'flag', since },
    { name: 'live', kind: 'flag', since },
    { name: 'current', kind: 'flag', since: '0.9.4' },
  ]
}

/** What of a domain a command is about: without an option, what runs, else what would be started. */
export function affectedOf({ given }: Session, { running }: Vm): Affects {
  const [live, config] = [given.has('live'), given.has('config')]
  return live || config ? { live, config } : { live: running !== undefined, config: running === undefined }
}
