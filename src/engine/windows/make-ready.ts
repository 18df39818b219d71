import { createHash } from 'node:crypto'
import { asWindows, readWindowsBootIdentity } from '../../guests/windows/boot-identity.js'
import { readWindowsFacts } from '../../guests/windows/facts.js'
import { unanswered } from '../../guests/windows/failure.js'
import { untilReady } from '../../guests/windows/readiness.js'
import { canonical } from '../../plan/digest.js'
import type { Machine } from '../../remote/index.js'
import { commandText } from '../../remote/shells/windows/catalog.js'
import type { OpenRequest } from '../open-session.js'
import { GuestSession, type SessionSource } from '../session.js'

/**
 * Makes a Windows guest ready for tests: ends what earlier runs left, waits until it has settled, and reads boot identity
 * and facts together. Throws InfraError.
 */
export async function makeWindowsReady(
  source: SessionSource,
  connected: Machine,
  { signal, boot }: OpenRequest,
  mark: string,
): Promise<GuestSession> {
  boot.waitFor('ready')
  const machine = asWindows(connected)
  const { instance, running } = source
  await machine.sweep(mark, signal)
  await untilReady(machine, { limitMs: boot.leftMs(), signal, onWait: what => boot.saw(what) })
  boot.waitFor('facts')
  const folder = `${await machine.temporaryFolder()}\\${instance}`
  const [made, identity, said] = await Promise.all([
    machine.run(commandText('mkdir', { FOLDER: folder }), { signal }),
    readWindowsBootIdentity(machine, { signal }),
    readWindowsFacts(machine, signal),
  ])
  signal.throwIfAborted()
  if (made.exit.kind !== 'code' || made.exit.code !== 0) {
    throw unanswered(machine, `the folder ${folder} could not be made: ${made.stderr.text.trim()}`)
  }
  const facts = { ...said, ...running.facts }
  const factsDigest = createHash('sha256').update(canonical(facts)).digest('hex')
  return new GuestSession(source, { machine, identity, folder, facts, factsDigest })
}
