import { resolve } from 'node:path'
import type { Keep } from '../engine/settings.js'
import { type EmulatedLab, hasEmulatedGuests, startEmulatedLab } from '../lab/emulated.js'
import { findRunningLab } from '../lab/running.js'
import { makePlan } from '../plan/build.js'
import { loadSuites } from '../plan/suites.js'
import { createReporter } from '../reports/terminal/kinds.js'
import type { ReporterKind } from '../reports/terminal/names.js'
import {
  type CommandIo,
  colorFlag,
  countFlag,
  isSet,
  type ParsedArgs,
  requiredArgument,
  textFlag,
} from './args.js'
import { readChoice } from './choice.js'
import { type Drivers, openDrivers } from './drivers.js'
import { cacheFolder } from './folders.js'
import { readHistory } from './history.js'
import { watchInterrupts } from './interrupts.js'
import { refuseLatestFolder } from './latest.js'
import { loadLab } from './load-lab.js'
import { loadsText } from './loads.js'
import { carryOut } from './pass.js'
import { whoAmI } from './who.js'

/** `guestcert run LAB`: carries out a validation pass. */
export async function run(args: ParsedArgs, io: CommandIo): Promise<number> {
  const lab = await loadLab(resolve(io.cwd, requiredArgument(args, 'LAB')), io)
  const who = whoAmI(args, io.env)
  const output = resolve(io.cwd, textFlag(args, 'output') ?? 'reports')
  await refuseLatestFolder(output)
  const suites = await loadSuites(lab.suites, lab.file)
  const planned = openDrivers(lab)
  const inspect = textFlag(args, 'inspect')
  const choice = readChoice(args)
  const chosen = inspect === undefined ? choice : { ...choice, tests: [...choice.tests, inspect] }
  const plan = makePlan(lab, suites, chosen, planned.abilitiesOf, { who, nowMs: Date.now() })
  await planned.close()
  const interrupts = watchInterrupts(text => io.stderr.write(text), io.signal)
  let emulated: EmulatedLab | null = null
  let drivers: Drivers | null = null
  try {
    if (hasEmulatedGuests(lab)) {
      emulated = (await findRunningLab(lab, cacheFolder())) ?? (await startEmulatedLab(lab, interrupts.stop))
    }
    const opened = openDrivers(lab, emulated ?? undefined)
    drivers = opened
    const parallel = countFlag(args, 'parallel') ?? lab.parallel
    const color = colorFlag(args)
    const kind = isSet(args, 'quiet') ? 'quiet' : ((textFlag(args, 'reporter') ?? 'auto') as ReporterKind)
    const reporterFor = (folder: string): ReturnType<typeof createReporter> =>
      createReporter({
        kind,
        stream: io.stdout,
        env: io.env,
        plan,
        parallel,
        folder,
        ...(color === undefined ? {} : { color }),
      })
    const { state, exitCode, folder, reporter } = await carryOut({
      lab,
      suites,
      plan,
      output,
      driverOf: opened.driverOf,
      who,
      keep: (textFlag(args, 'keep') ?? 'never') as Keep,
      parallel,
      history: await readHistory(output),
      retries: countFlag(args, 'retries') ?? lab.retries,
      drain: interrupts.drain,
      stop: interrupts.stop,
      ...(inspect === undefined ? {} : { inspect: waitForDebugger(io) }),
      reporterFor,
      warn: text => io.stderr.write(`guestcert: ${text}\n`),
    })
    reporter.end(state, exitCode, folder)
    return exitCode
  } finally {
    interrupts.close()
    await drivers?.close()
    const loads = (await emulated?.close()) ?? []
    io.stderr.write(loadsText(loads, lab))
  }
}

function waitForDebugger(io: CommandIo): (test: string, url: string) => void {
  return (test, url) => {
    const address = /^ws:\/\/([^/]+)/.exec(url)?.[1] ?? url
    io.stderr.write(`${test} waits for a debugger at ${url} (node inspect ${address}, or chrome://inspect)\n`)
  }
}
