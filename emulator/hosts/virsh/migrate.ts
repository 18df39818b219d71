import type { Hypervisor } from '../hypervisor.js'
import type { OptionRule } from './parse.js'
import { attempt, type Command, domainOf, Failed, type Session } from './session.js'

const flag = (name: string, since?: string): OptionRule =>
  since === undefined ? { name, kind: 'flag' } : { name, kind: 'flag', since }

/**
 * What a URI names, as virsh on a host sees it: that host's own libvirt, or by SSH that of another one. Throws Failed.
 */
export function hypervisorAt(
  uri: string,
  { local, site, persona, generation }: Pick<Session, 'local' | 'site' | 'persona' | 'generation'>,
): Hypervisor {
  if (uri === persona.libvirt.uri) return local
  const [scheme] = persona.libvirt.uri.split(':')
  const [, driver, host = '', port] = /^(\w+)\+ssh:\/\/(?:[^@/]*@)?([^:/]+)(?::(\d+))?\//.exec(uri) ?? []
  if (driver === undefined) {
    throw new Failed(['failed to connect to the hypervisor', `no connection driver available for ${uri}`])
  }
  const found =
    driver === scheme
      ? site.find(host, port === undefined ? undefined : Number(port), persona.libvirt.uri)
      : undefined
  if (found) return found
  // What ssh said, as the transport hands it on (virNetSocketReadWire of src/rpc/virnetsocket.c).
  const verb = generation.has('0.9.0') ? 'Cannot recv data' : 'cannot recv data'
  throw new Failed([
    `${verb}: ssh: Could not resolve hostname ${host}: Name or service not known: Connection reset by peer`,
  ])
}

const migrate: Command = {
  since: '0.3.2',
  options: [
    { name: 'domain', kind: 'required' },
    { name: 'desturi', kind: 'required' },
    flag('live'),
    flag('offline', '1.0.1'),
    flag('p2p', '0.7.2'),
    flag('direct', '0.7.2'),
    flag('tunnelled', '0.7.2'),
    flag('persistent', '0.7.3'),
    flag('undefinesource', '0.7.3'),
    flag('suspend', '0.7.6'),
    flag('copy-storage-all', '0.8.2'),
    flag('copy-storage-inc', '0.8.2'),
    flag('change-protection', '0.9.4'),
    flag('unsafe', '0.9.11'),
    flag('verbose', '0.8.1'),
    flag('compressed', '1.0.3'),
    flag('auto-converge', '1.2.3'),
    flag('abort-on-error', '1.0.5'),
    { name: 'migrateuri', kind: 'value' },
    { name: 'dname', kind: 'value' },
    { name: 'timeout', kind: 'value', since: '0.9.0' },
  ],
  run: async session => {
    const vm = domainOf(session)
    const { hypervisor, given, generation } = session
    const destination = hypervisorAt(given.need('desturi'), session)
    const copyStorage = given.has('copy-storage-all') || given.has('copy-storage-inc')
    await attempt(session, undefined, () =>
      hypervisor.migrate(vm, destination, {
        persistent: given.has('persistent'),
        undefineSource: given.has('undefinesource'),
        copyStorage,
        // Before it could be forced, nobody asked.
        unsafe: given.has('unsafe') || !generation.has('0.9.11'),
      }),
    )
    return given.has('verbose') ? 'Migration: [100 %]' : ''
  },
}

/** Commands that move domains to other hosts. */
export const migrationCommands: Readonly<Record<string, Command>> = { migrate }
