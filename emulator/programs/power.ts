import type { Call, Program } from '../system/programs.js'
import type { PowerAction } from '../system/system.js'
import { writeTo } from './io.js'
import { complain } from './streams.js'

/** How soon `now` is: the programs tell init and return before it acts. */
const nowMs = 50

async function ask(call: Call, action: PowerAction, delayMs: number): Promise<number> {
  if (call.process.uid !== 0) return complain(call, 'must be superuser.')
  call.system.power(action, delayMs)
  return 0
}

function asks(action: PowerAction): Program {
  return async call => {
    if (call.args.includes('--help')) return 0
    const other: PowerAction = call.args.includes('-p') || call.args.includes('--poweroff') ? 'off' : action
    return ask(call, call.args.includes('--reboot') ? 'reboot' : other, nowMs)
  }
}

const shutdown: Program = async call => {
  const flags = call.args.filter(arg => arg.startsWith('-')).join('')
  const [when] = call.args.filter(arg => !arg.startsWith('-'))
  if (flags.includes('c'))
    return call.system.cancelPower() ? 0 : complain(call, 'cannot find pid of running shutdown')
  const action: PowerAction = flags.includes('r') ? 'reboot' : flags.includes('H') ? 'halt' : 'off'
  if (when === undefined && call.system.flavourOfInit === 'sysv') {
    await writeTo(call.process, 2, 'Usage:\t  shutdown [-akrhHPfnc] [-t secs] time [warning message]\n')
    return 1
  }
  const minutes = /^\+?(\d+)$/.exec(when ?? '+1')?.[1]
  if (when !== 'now' && minutes === undefined && !/^\d\d?:\d\d$/.test(when ?? ''))
    return complain(call, `Failed to parse time specification: ${when}`)
  return ask(call, action, when === 'now' || minutes === '0' ? nowMs : Number(minutes ?? 1) * 60_000)
}

const init: Program = async call => {
  const [level] = call.args
  if (level === '6') return ask(call, 'reboot', nowMs)
  return level === '0' ? ask(call, 'off', nowMs) : 0
}

const systemctl: Program = async call => {
  const words = call.args.filter(arg => !arg.startsWith('-'))
  const [verb, unit = ''] = words
  const actions: Readonly<Record<string, PowerAction>> = { reboot: 'reboot', poweroff: 'off', halt: 'halt' }
  const action = actions[verb ?? '']
  if (action) return ask(call, action, nowMs)
  const running = call.system.processes
    .list()
    .some(process => process.argv.join(' ').includes(unit.replace(/\.service$/, '')))
  switch (verb) {
    case 'is-system-running':
      await writeTo(call.process, 1, 'running\n')
      return 0
    case 'is-active':
      await writeTo(call.process, 1, running ? 'active\n' : 'inactive\n')
      return running ? 0 : 3
    case 'is-enabled':
      await writeTo(call.process, 1, running ? 'enabled\n' : 'disabled\n')
      return running ? 0 : 1
    case 'daemon-reload':
      return 0
    default:
      return complain(call, `the emulator does not know systemctl ${verb ?? ''}`)
  }
}

/** Programs that reboot and switch off. */
export const powerPrograms: Readonly<Record<string, Program>> = {
  reboot: asks('reboot'),
  poweroff: asks('off'),
  halt: asks('halt'),
  shutdown,
  init,
  telinit: init,
  systemctl,
}
