import { fromText, toText } from '../../files/bytes.js'
import { writeTo } from '../../programs/io.js'
import type { Program } from '../../system/programs.js'
import { Trouble } from '../trouble.js'
import { deviceVerbs } from './devices.js'
import { uuidInvalid, XeError } from './errors.js'
import { machineVerbs } from './machines.js'
import {
  type Fields,
  hostRecords,
  listed,
  snapshotRecords,
  srRecords,
  vbdRecords,
  vdiRecords,
  vifRecords,
  vmRecords,
  without,
} from './records.js'
import { demand, type Session, type Verb, type XenServer } from './session.js'
import { snapshotVerbs } from './snapshots.js'

const named = ['uuid', 'name-label', 'name-description']

function list(records: (session: Session) => readonly Fields[], usual: readonly string[] = named): Verb {
  return (session, given) => listed(records(session), given, usual)
}

function param(type: string, records: (session: Session) => readonly Fields[]): Verb {
  return (session, given) => {
    const uuid = demand(given, 'uuid')
    const found = records(session).find(each => each.uuid === uuid)
    if (!found) throw uuidInvalid(type, uuid)
    const name = demand(given, 'param-name')
    const value = found[name]
    if (value === undefined) throw new XeError(`Invalid field name: ${name}`)
    return `${value}\n`
  }
}

const snapshots = ({ pool, faults }: Session): Fields[] => {
  const vanished = faults.vanishedSnapshot?.name
  const gone = new Set(pool.snapshots.filter(each => without(vanished, each)).map(({ uuid }) => uuid))
  return snapshotRecords(pool).filter(({ uuid = '' }) => !gone.has(uuid))
}

const setVbd: Verb = ({ pool }, given) => {
  const uuid = demand(given, 'uuid')
  if (!vbdRecords(pool).some(vbd => vbd.uuid === uuid)) throw uuidInvalid('VBD', uuid)
  const others = [...given.keys()].filter(key => key !== 'uuid' && key !== 'other-config:owner')
  if (others.length > 0) throw new XeError(`Invalid field name: ${others[0]}`)
  if (given.has('other-config:owner')) pool.owners.add(uuid)
  return ''
}

const verbs: Readonly<Record<string, Verb>> = {
  'host-list': list(({ pool, persona }) => hostRecords(pool, persona)),
  'sr-list': list(({ pool, faults }) => srRecords(pool, faults.noSpace === true)),
  'vm-list': list(({ pool, persona }) => vmRecords(pool, persona), ['uuid', 'name-label', 'power-state']),
  'template-list': list(() => []),
  'snapshot-list': list(snapshots),
  'vdi-list': list(({ pool }) => vdiRecords(pool)),
  'vbd-list': list(({ pool }) => vbdRecords(pool), ['uuid', 'vm-uuid', 'vdi-uuid', 'device']),
  'vif-list': list(({ pool }) => vifRecords(pool), ['uuid', 'vm-uuid', 'device', 'MAC']),
  'vm-param-get': param('VM', ({ pool, persona }) => vmRecords(pool, persona)),
  'vbd-param-get': param('VBD', ({ pool }) => vbdRecords(pool)),
  'vif-param-get': param('VIF', ({ pool }) => vifRecords(pool)),
  'vbd-param-set': setVbd,
  ...machineVerbs,
  ...snapshotVerbs,
  ...deviceVerbs,
}

/** xe, as xapi's command line has it. What it does not play it does not know. */
export function xeProgram(server: XenServer): Program {
  const slowMs = server.faults.slow?.ms ?? 0
  return async call => {
    if (slowMs > 0) await call.process.sleep(slowMs)
    const [verb = '', ...words] = call.args.map(toText)
    const command = Object.hasOwn(verbs, verb) ? verbs[verb] : undefined
    try {
      if (!command) throw new XeError(`Unknown command: ${verb}\nFor usage run: 'xe help'`)
      const given = new Map(words.map(readWord))
      const session: Session = { ...server, call, member: server.member() }
      await writeTo(call.process, 1, fromText(await command(session, given)))
      return 0
    } catch (error) {
      if (!(error instanceof XeError || error instanceof Trouble)) throw error
      // What the toolstack below says is an internal error.
      const text =
        error instanceof XeError
          ? error.message
          : `Error code: INTERNAL_ERROR\nError parameters: ${error.message}`
      await writeTo(call.process, 2, fromText(`${text}\n`))
      return 1
    }
  }
}

/** `force=true` may be written as `--force`. */
function readWord(word: string): [string, string] {
  const at = word.indexOf('=')
  return at < 0 ? [word.replace(/^--/, ''), 'true'] : [word.slice(0, at), word.slice(at + 1)]
}
