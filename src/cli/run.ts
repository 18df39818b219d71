import { resolve } from 'node:path'
import { preflight } from '../doctor/preflight.js'
import type { Keep } from '../engine/settings.js'
import { makePlan } from '../plan/build.js'
import { loadSuites } from '../plan/suites.js'
import { createReporter } from '../reports/terminal/kinds.js'
import type { ReporterKind } from '../reports/terminal/names.js'
import { openDrivers } from '../run/drivers.js'
import { refuseLatestFolder } from '../run/latest.js'
import { carryOut } from '../run/run.js'
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
import { cacheFolder } from './folders.js'
import { readHistory } from './history.js'
import { watchInterrupts } from './interrupts.js'
import { loadLab } from './load-lab.js'
import { loadsText } from './loads.js'
import { whoAmI } from './who.js'

/** `guestcert run LAB`: carries out a validation pass. */
export async function run(args: ParsedArgs, io: CommandIo): Promise<number> {
  const lab = await loadLab(resolve(io.cwd, requiredArgument(args, 'LAB')), io)
  const who = whoAmI(args, io.env)
  const output = resolve(io.cwd, textFlag(args, 'output') ?? 'reports')
  await refuseLatestFolder(output)
  const suites = await loadSuites(lab.suites, lab.file)
  const planned = openDrivers(lab, cacheFolder())
  const inspect = textFlag(args, 'inspect')
  const choice = readChoice(args)
  const chosen = inspect === undefined ? choice : { ...choice, tests: [...choice.tests, inspect] }
  const plan = makePlan(lab, suites, chosen, planned.abilitiesOf, { who, nowMs: Date.now() })
  await planned.close()
  const interrupts = watchInterrupts(text => io.stderr.write(text), io.signal)
  const warn = (text: string): unknown => io.stderr.write(`guestcert: ${text}\n`)
  // The run does not wait for it: what it has to say is said while the first guests are brought up.
  void preflight(lab, plan, warn).catch(error => warn(`the quick checks failed: ${error}`))
  try {
    const parallel = countFlag(args, 'parallel') ?? lab.parallel
    const color = colorFlag(args)
    const kind = isSet(args, 'quiet') ? 'quiet' : ((textFlag(args, 'reporter') ?? 'auto') as ReporterKind)
    const { exitCode } = await carryOut({
      lab,
      suites,
      plan,
      output,
      workspace: io.cwd,
      cacheFolder: cacheFolder(),
      reusesLab: true,
      who,
      keep: (textFlag(args, 'keep') ?? 'never') as Keep,
      parallel,
      history: await readHistory(output),
      retries: countFlag(args, 'retries') ?? lab.retries,
      drain: interrupts.drain,
      stop: interrupts.stop,
      ...(inspect === undefined ? {} : { inspect: waitForDebugger(io) }),
      readerFor: (folder, fold) =>
        createReporter({
          kind,
          stream: io.stdout,
          env: io.env,
          plan,
          fold,
          parallel,
          folder,
          ...(color === undefined ? {} : { color }),
        }),
      onHostLoads: loads => io.stderr.write(loadsText(loads, lab)),
      warn,
    })
    return exitCode
  } finally {
    interrupts.close()
  }
}

function waitForDebugger(io: CommandIo): (test: string, url: string) => void {
  return (test, url) => {
    const address = /^ws:\/\/([^/]+)/.exec(url)?.[1] ?? url
    io.stderr.write(`${test} waits for a debugger at ${url} (node inspect ${address}, or chrome://inspect)\n`)
  }
}
