import { resolve } from 'node:path'
import { machineName } from '../config/this-machine.js'
import { cleanLab } from '../lab/clean.js'
import { hasEmulatedGuests } from '../lab/emulated-request.js'
import { findRunningLab } from '../lab/running.js'
import { whyReserved } from '../plan/reservation.js'
import { cleanTerminalLine } from '../reports/clean.js'
import { openDrivers } from '../run/drivers.js'
import { type CommandIo, isSet, type ParsedArgs, requiredArgument } from './args.js'
import { cacheFolder } from './folders.js'
import { watchInterrupts } from './interrupts.js'
import { loadLab } from './load-lab.js'
import { whoAmI } from './who.js'

/** `guestcert lab clean LAB`: removes what dead runs left, and nothing else. */
export async function run(args: ParsedArgs, io: CommandIo): Promise<number> {
  const lab = await loadLab(resolve(io.cwd, requiredArgument(args, 'LAB')), io)
  const drivers = openDrivers(
    lab,
    cacheFolder(),
    (hasEmulatedGuests(lab) ? await findRunningLab(lab, cacheFolder()) : null) ?? undefined,
  )
  const interrupts = watchInterrupts(text => io.stderr.write(text), io.signal)
  const requester = { who: whoAmI(args, io.env), nowMs: Date.now() }
  const dryRun = isSet(args, 'dry-run')
  const counts = { removed: 0, kept: 0, failed: 0 }
  try {
    await cleanLab({
      lab,
      who: requester.who,
      from: machineName(),
      driverOf: drivers.driverOf,
      whyNot: host => whyReserved(host, requester),
      dryRun,
      kept: isSet(args, 'kept'),
      // What is being removed is removed to its end; the first Ctrl-C begins nothing more.
      signal: interrupts.drain,
      onCleaned: ({ machine, name, what, stays, failed }) => {
        counts[failed ? 'failed' : stays === null ? 'removed' : 'kept'] += 1
        const verb = stays === null ? (dryRun ? 'would remove' : 'removed') : failed ? 'FAILED' : 'left'
        const thing = name === '' ? machine : `${name} on ${machine}`
        const why = [what, stays ?? ''].filter(text => text !== '').join(': ')
        io.stdout.write(`${cleanTerminalLine(`${verb} ${thing}: ${why}`)}\n`)
      },
    })
  } finally {
    interrupts.close()
    await drivers.close()
  }
  const done = `${counts.removed} ${dryRun ? 'would be removed' : 'removed'}, ${counts.kept} left`
  io.stdout.write(`${done}${counts.failed === 0 ? '' : `, ${counts.failed} failed`}\n`)
  return counts.failed === 0 ? 0 : 3
}
