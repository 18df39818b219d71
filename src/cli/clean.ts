import { resolve } from 'node:path'
import { machineName } from '../config/this-machine.js'
import { type Cleaned, cleanLab } from '../lab/clean.js'
import { hasEmulatedGuests } from '../lab/emulated-request.js'
import { findRunningLab } from '../lab/running.js'
import { whyReserved } from '../plan/reservation.js'
import { cleanTerminalLine } from '../reports/clean.js'
import { openDrivers } from '../run/drivers.js'
import { answer, isTalkative, lines } from './answer.js'
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
  const found: Cleaned[] = []
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
      onCleaned: cleaned => {
        found.push(cleaned)
        if (isTalkative(args)) io.stdout.write(`${cleanedLine(cleaned, dryRun)}\n`)
      },
    })
  } finally {
    interrupts.close()
    await drivers.close()
  }
  const failed = found.filter(one => one.failed)
  const removed = found.filter(({ stays }) => stays === null).length
  const kept = found.length - failed.length - removed
  const done = `${removed} ${dryRun ? 'would be removed' : 'removed'}, ${kept} left`
  answer(args, io, {
    value: { lab: lab.name, dryRun, found },
    text: () => lines([`${done}${failed.length === 0 ? '' : `, ${failed.length} failed`}`]),
    quiet: () => lines(failed.map(one => cleanedLine(one, dryRun))),
  })
  return failed.length === 0 ? 0 : 3
}

function cleanedLine({ machine, name, what, stays, failed }: Cleaned, dryRun: boolean): string {
  const verb = stays === null ? (dryRun ? 'would remove' : 'removed') : failed ? 'FAILED' : 'left'
  const thing = name === '' ? machine : `${name} on ${machine}`
  const why = [what, stays ?? ''].filter(text => text !== '').join(': ')
  return cleanTerminalLine(`${verb} ${thing}: ${why}`)
}
