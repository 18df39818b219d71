import type { ClientChannel, PseudoTtyOptions } from 'ssh2'
import { InfraError, InternalError } from '../config/errors.js'
import type { Machine } from './machine.js'
import { SshMachine } from './ssh-machine.js'
import { messageOf, peerText } from './trouble.js'

/**
 * Opens the login shell of a machine for a person, on a connection that was made by `connect`. Without a window it
 * has no terminal, as ssh(1) does when its input is none. Throws InfraError when the server refuses.
 */
export function openTerminal(machine: Machine, window: PseudoTtyOptions | null): Promise<ClientChannel> {
  if (!(machine instanceof SshMachine)) {
    throw new InternalError(`${machine.label} is not a connection of its own`)
  }
  const { client } = machine.host
  return new Promise((resolve, reject) => {
    client.shell(window ?? false, (error, channel) => {
      if (error === undefined) {
        resolve(channel)
        return
      }
      const what = `${machine.label}: the server opens no shell: ${peerText(messageOf(error))}`
      reject(new InfraError(what, { cause: 'unknown', where: machine.label, code: 'command' }))
    })
  })
}
