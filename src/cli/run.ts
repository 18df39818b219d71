import { resolve } from 'node:path'
import { readLabels } from '../config/labels.js'
import { preflight } from '../doctor/preflight.js'
import type { Certify } from '../journal/events.js'
import { strongestExit } from '../journal/exit.js'
import { loadSuites } from '../plan/suites.js'
import { openDrivers } from '../run/drivers.js'
import { refuseLatestFolder } from '../run/latest.js'
import { carryOut } from '../run/run.js'
import {
  type CommandIo,
  countFlag,
  isSet,
  listFlag,
  type ParsedArgs,
  requiredArgument,
  textFlag,
} from './args.js'
import { chosenPlan } from './chosen-plan.js'
import { cacheFolder } from './folders.js'
import { readHistory } from './history.js'
import { watchInterrupts } from './interrupts.js'
import { loadLab } from './load-lab.js'
import { certifyOf } from './record/certify.js'
import { sessionSettings, withRunLimit } from './session-flags.js'
import { whoAmI } from './who.js'

/** `guestcert run LAB`: carries out a validation pass, or several. */
export async function run(args: ParsedArgs, io: CommandIo): Promise<number> {
  const lab = withRunLimit(args, await loadLab(resolve(io.cwd, requiredArgument(args, 'LAB')), io))
  const labels = readLabels(listFlag(args, 'label'))
  const who = whoAmI(args, io.env)
  const output = resolve(io.cwd, textFlag(args, 'output') ?? 'reports')
  await refuseLatestFolder(output)
  const suites = await loadSuites(lab.suites, lab.file)
  const planned = openDrivers(lab, cacheFolder())
  const { abilitiesOf } = planned
  const requester = { who, nowMs: Date.now() }
  const plan = await chosenPlan(args, { lab, suites, abilitiesOf, requester, reports: output, cwd: io.cwd })
  await planned.close()
  const inspects = textFlag(args, 'inspect') !== undefined
  const interrupts = watchInterrupts(text => io.stderr.write(text), io.signal)
  const warn = (text: string): unknown => io.stderr.write(`guestcert: ${text}\n`)
  // The run does not wait for it: what it has to say is said while the first guests are brought up.
  void preflight(lab, plan, warn).catch(error => warn(`the quick checks failed: ${error}`))
  const times = countFlag(args, 'repeat')
  const untilFail = isSet(args, 'until-fail')
  const most = times ?? (untilFail ? Number.POSITIVE_INFINITY : 1)
  const codes: number[] = []
  try {
    while (codes.length < most && !interrupts.any.aborted) {
      if (codes.length > 0 || most > 1) {
        warn(`run ${codes.length + 1}${Number.isFinite(most) ? ` of ${most}` : ''}`)
      }
      const history = await readHistory(output)
      const { exitCode } = await carryOut({
        ...(await sessionSettings(args, io, { lab, plan, history })),
        lab,
        suites,
        plan,
        output,
        who,
        labels,
        ...certified(await certifyOf(args, io, plan)),
        history,
        drain: interrupts.drain,
        stop: interrupts.stop,
        ...(inspects ? { inspect: waitForDebugger(io) } : {}),
      })
      codes.push(exitCode)
      if (untilFail && exitCode !== 0) {
        break
      }
    }
    return strongestExit(interrupts.any.aborted ? [...codes, 130] : codes)
  } finally {
    interrupts.close()
  }
}

function certified(certify: Certify | undefined): { readonly certify?: Certify } {
  return certify === undefined ? {} : { certify }
}

function waitForDebugger(io: CommandIo): (test: string, url: string) => void {
  return (test, url) => {
    const address = /^ws:\/\/([^/]+)/.exec(url)?.[1] ?? url
    io.stderr.write(`${test} waits for a debugger at ${url} (node inspect ${address}, or chrome://inspect)\n`)
  }
}
