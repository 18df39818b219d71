import { randomBytes } from 'node:crypto'
import { InfraError } from '../../config/errors.js'
import { commandText } from '../../remote/shells/windows/catalog.js'
import { type Rebooted, type RebootRequest, reboot } from '../reboot.js'
import { asWindows, readWindowsBootIdentity } from './boot-identity.js'
import { readEvents, type WindowsEvent } from './events.js'

/** Who asked for a shutdown: event 1074 of 2003 and later. */
const shutdownAsked = 1074

/**
 * Reboots a Windows guest. Beyond another boot identity and a small uptime, event 1074 must bear our word: a reboot that
 * an update asked for is not ours. Throws InfraError (`reboot`).
 */
export async function rebootWindows(request: Omit<RebootRequest, 'command' | 'identify'>): Promise<Rebooted> {
  const word = `gc-${randomBytes(6).toString('hex')}`
  const rebooted = await reboot({
    ...request,
    command: commandText('reboot', { NONCE: word }),
    identify: readWindowsBootIdentity,
  })
  const machine = asWindows(rebooted.machine)
  const asked = await readEvents(machine, 'System', {
    ids: [shutdownAsked],
    count: 5,
    signal: request.signal,
  })
  if (!asked.some(({ data }) => data.some(text => text.includes(word)))) {
    const who = asked[0] === undefined ? 'nobody, by event 1074' : initiatorOf(asked[0])
    throw new InfraError(
      `${machine.label}: it rebooted, but not by our command: it was requested by ${who}`,
      {
        cause: 'guest',
        where: machine.label,
        code: 'reboot',
      },
    )
  }
  return rebooted
}

/** The program and the user that event 1074 names: the first and the seventh of its texts. */
function initiatorOf({ data }: WindowsEvent): string {
  const [program = 'an unnamed program', , , , , , user = 'an unnamed user'] = data
  return `${program} for ${user}`
}
