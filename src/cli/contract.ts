import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { UsageError } from '../config/errors.js'
import { packageVersion } from '../config/package-root.js'
import type { PartResult } from '../doctor/contract/conduct.js'
import { scratchOn } from '../doctor/contract/scratch.js'
import { type ContractReport, testContract } from '../doctor/contract/test-contract.js'
import { type Transcript, transcriptName } from '../doctor/contract/transcript.js'
import { type EmulatedLab, startEmulatedLab } from '../lab/emulated.js'
import { hasEmulatedGuests } from '../lab/emulated-request.js'
import { findRunningLab } from '../lab/running.js'
import { narrowLab } from '../plan/narrow.js'
import { whyReserved } from '../plan/reservation.js'
import { cleanTerminalLine } from '../reports/clean.js'
import { type Drivers, openDrivers } from '../run/drivers.js'
import { safeJson } from '../text/json.js'
import { answer, isTalkative, type Paper } from './answer.js'
import { type CommandIo, listFlag, type ParsedArgs, requiredArgument, textFlag } from './args.js'
import { cacheFolder } from './folders.js'
import { watchInterrupts } from './interrupts.js'
import { wrap } from './layout.js'
import { loadLab } from './load-lab.js'
import { whoAmI } from './who.js'

/** `guestcert doctor LAB --contract HOST`: tests a driver on a host with a scratch VM, and writes down what was said. */
export async function runContract(hostId: string, args: ParsedArgs, io: CommandIo): Promise<number> {
  const whole = await loadLab(resolve(io.cwd, requiredArgument(args, 'LAB')), io)
  const lab = narrowLab(whole, { guests: listFlag(args, 'guest'), hosts: [] })
  const scratch = scratchOn(lab, hostId)
  const asker = { who: whoAmI(args, io.env), nowMs: Date.now() }
  const reserved = whyReserved(scratch.host, asker)
  if (reserved !== null) {
    throw new UsageError(reserved)
  }
  const interrupts = watchInterrupts(text => io.stderr.write(text), io.signal)
  const signal = interrupts.any
  const opened: Drivers[] = []
  let emulated: EmulatedLab | null = null
  try {
    if (hasEmulatedGuests(lab)) {
      emulated = (await findRunningLab(whole, cacheFolder())) ?? (await startEmulatedLab(lab, signal))
    }
    const open = (): Drivers => {
      const drivers = openDrivers(lab, cacheFolder(), emulated ?? undefined)
      opened.push(drivers)
      return drivers
    }
    const talks = isTalkative(args)
    const width = io.stdout.columns ?? usualWidth
    if (talks) {
      const { guest, host } = scratch
      io.stdout.write(
        `${hostId}: the contract of driver ${host.driver.name}, with scratch VMs made from ${guest.id}\n\n`,
      )
    }
    const report = await testContract({
      lab,
      scratch,
      driver: open().driverOf(scratch.host),
      witness: open().driverOf(scratch.host),
      who: asker.who,
      guestcert: packageVersion(),
      day: new Date(asker.nowMs).toISOString().slice(0, 10),
      redact: text => io.redaction?.redactor.text(text) ?? text,
      signal,
      onWait: (machine, owner) => io.stderr.write(`${machine}: waiting for ${owner}\n`),
      // A test on a real host takes minutes.
      onResult: result => {
        if (talks) io.stdout.write(lineOf(result, width))
      },
      onBegin: title => {
        if (talks && io.stderr.isTTY === true) io.stderr.write(`  … ${title}\n`)
      },
    })
    const file = textFlag(args, 'output') ?? transcriptName(report.transcript)
    await save(resolve(io.cwd, file), report.transcript)
    const { driver, product, version, real, results } = report.transcript
    answer(args, io, {
      value: { host: hostId, driver, product, version, real, results, transcript: file },
      text: paper => summary(report, file, paper),
      quiet: () =>
        report.results
          .filter(({ state }) => state !== 'held')
          .map(result => lineOf(result, width))
          .join(''),
    })
    return report.results.some(({ state }) => state === 'broken') ? 1 : 0
  } catch (error) {
    if (signal.aborted) return 130
    throw error
  } finally {
    interrupts.close()
    await Promise.all(opened.map(drivers => drivers.close()))
    await emulated?.close()
  }
}

async function save(file: string, transcript: Transcript): Promise<void> {
  try {
    await mkdir(dirname(file), { recursive: true })
    await writeFile(file, `${safeJson(transcript, 2)}\n`)
  } catch (error) {
    throw new UsageError(`cannot write ${file}: ${(error as Error).message}`)
  }
}

/** A text that is broken at a width, with its further lines below its first. */
function hang(text: string, start: number, width: number): string {
  return wrap(text, Math.max(narrowest, width - start)).join(`\n${' '.repeat(start)}`)
}

const words = { held: 'held', broken: 'BROKEN', 'not-tried': 'not tried' } as const
const indent = 13
const usualWidth = 80
const narrowest = 24

/** One part, and below it why it did not hold. */
function lineOf({ part, title, state, seen }: PartResult, width: number): string {
  const name = part.includes('/') ? `  ${title}` : title
  const head = `  ${words[state].padEnd(indent - 2)}${hang(name, indent, width)}\n`
  const start = indent + 2
  return state === 'held'
    ? head
    : `${head}${' '.repeat(start)}${hang(cleanTerminalLine(seen), start, width)}\n`
}

function summary({ results, transcript }: ContractReport, file: string, { colors: c }: Paper): string {
  const count = (state: PartResult['state']): number => results.filter(one => one.state === state).length
  const broken = count('broken')
  const brokenText = broken === 0 ? '0 broken' : c.red(`${broken} broken`)
  const sum = `${count('held')} held, ${brokenText}, ${count('not-tried')} not tried`
  const isEmulated = transcript.real ? '' : ' (emulated: it proves nothing of the product)'
  return `\n${sum}${isEmulated}\nwrote ${file}: ${transcript.exchanges.length} commands and answers, redacted\n`
}
