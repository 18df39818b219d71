import { InfraError } from '../../config/errors.js'
import type { Family, Lab } from '../../config/model.js'
import { anyOf } from '../../deadline/signals.js'
import { rebootCommand } from '../../guests/reboot.js'
import { windowsConnection } from '../../guests/windows/connection.js'
import type { GuestInside } from '../../hypervisors/contract/subject.js'
import type { GuestRequest, RunningGuest } from '../../hypervisors/driver.js'
import { connectToGuest, pinNameOf } from '../../hypervisors/reach.js'
import { unheard } from '../../hypervisors/shared/exchanges.js'
import type { ConnectOptions, Machine } from '../../remote/index.js'
import { commandText } from '../../remote/shells/windows/catalog.js'

/** What the contract test has the guest itself do. */
export interface Inside extends GuestInside {
  powerOff(running: RunningGuest): Promise<void>
  reboot(running: RunningGuest): Promise<void>
}

interface Words {
  readonly connection: (mark: string) => ConnectOptions
  readonly mark: (name: string) => string
  /** Answers `gc-yes` or `gc-no`. */
  readonly isMarked: (name: string) => string
  readonly powerOff: string
  readonly reboot: string
}

const posixMarker = (name: string): string => `/var/tmp/guestcert-contract-${name}`
const windowsMarker = (name: string): string => `C:\\guestcert-contract-${name}`

/** What each family is told. */
const families: Readonly<Record<Family, Words>> = {
  linux: {
    connection: mark => ({ mark, firstCommand: ':' }),
    mark: name => `: >${posixMarker(name)}&&sync`,
    isMarked: name => `if [ -e ${posixMarker(name)} ];then echo gc-yes;else echo gc-no;fi`,
    powerOff: 'if command -v shutdown >/dev/null 2>&1;then exec shutdown -h now;else exec poweroff;fi',
    reboot: rebootCommand,
  },
  windows: {
    connection: windowsConnection,
    mark: name => commandText('mkdir', { FOLDER: windowsMarker(name) }),
    isMarked: name => `if exist "${windowsMarker(name)}\\" (echo gc-yes) else (echo gc-no)`,
    powerOff: 'shutdown -s -f -t 0',
    reboot: commandText('reboot', { NONCE: 'contract' }),
  },
}

export interface InsideRequest {
  readonly lab: Pick<Lab, 'name'>
  readonly request: GuestRequest
  readonly signal: AbortSignal
}

/** The guest of a scratch VM, logged in to anew for each question: what was connected before may be held or gone. */
export function guestInside({ lab, request, signal }: InsideRequest): Inside {
  const { guest, placement, instance, limits } = request
  const words = families[guest.family]
  const mark = `${lab.name}/${guest.id}/${placement.host}/${instance}`
  const within = <T>(running: RunningGuest, work: (machine: Machine) => Promise<T>): Promise<T> =>
    unheard(async () => {
      const ends = anyOf(signal, running.gone)
      const machine = await connectToGuest(guest, running, {
        limits,
        signal: ends.signal,
        options: { ...words.connection(mark), refusalsMs: limits.boot },
        pinnedAs: pinNameOf(guest, placement, instance),
      }).finally(ends.clear)
      try {
        return await work(machine)
      } finally {
        await machine.close()
      }
    })
  const run = async (machine: Machine, command: string): Promise<string> => {
    const { exit, stdout, stderr } = await machine.run(command, { signal, limitMs: limits.command })
    if (exit.kind !== 'code' || exit.code !== 0) {
      const how = exit.kind === 'code' ? `status ${exit.code}` : exit.kind
      const message = `${guest.id}: "${command}" ended with ${how}: ${stderr.text.slice(0, 200)}`
      throw new InfraError(message, { cause: 'guest', where: instance, code: 'command' })
    }
    return stdout.text.trim()
  }
  /** A guest that goes down may take the answer with it. */
  const tell = (running: RunningGuest, command: string): Promise<void> =>
    within(running, async machine => {
      const { exit, stderr } = await machine.run(command, { signal, limitMs: limits.command })
      if (exit.kind === 'code' && exit.code !== 0) {
        const message = `${guest.id} refused "${command}": status ${exit.code} ${stderr.text.slice(0, 200)}`
        throw new InfraError(message, { cause: 'guest', where: instance, code: 'command' })
      }
    })
  return {
    untilUp: running => within(running, async () => {}),
    mark: (running, name) => within(running, async machine => void (await run(machine, words.mark(name)))),
    isMarked: (running, name) =>
      within(running, async machine => {
        const said = await run(machine, words.isMarked(name))
        if (said !== 'gc-yes' && said !== 'gc-no') {
          const message = `${guest.id}: unexpected answer "${said.slice(0, 100)}"`
          throw new InfraError(message, { cause: 'guest', where: instance, code: 'command' })
        }
        return said === 'gc-yes'
      }),
    powerOff: running => tell(running, words.powerOff),
    reboot: running => tell(running, words.reboot),
  }
}
