import { resolve } from 'node:path'
import { InternalError, UsageError } from '../config/errors.js'
import { parseSizeBytes } from '../config/units.js'
import { examine } from '../doctor/examine.js'
import { type Report, reportOf } from '../doctor/finding.js'
import { subjectsOf } from '../doctor/subjects.js'
import type { FoundAccess } from '../hypervisors/driver.js'
import { type EmulatedLab, startEmulatedLab } from '../lab/emulated.js'
import { reachedHost } from '../lab/emulated-hosts.js'
import { guestName, hasEmulatedGuests } from '../lab/emulated-request.js'
import { findRunningLab } from '../lab/running.js'
import { narrowLab } from '../plan/narrow.js'
import { type Drivers, openDrivers } from '../run/drivers.js'
import { answer, type Paper } from './answer.js'
import { type CommandIo, countFlag, listFlag, type ParsedArgs, requiredArgument, textFlag } from './args.js'
import { runContract } from './contract.js'
import { cacheFolder } from './folders.js'
import { watchInterrupts } from './interrupts.js'
import { loadLab } from './load-lab.js'
import { parseAgeMs } from './values.js'

/** `guestcert doctor LAB`: looks at every host and guest before a pass, and changes nothing. */
export async function run(args: ParsedArgs, io: CommandIo): Promise<number> {
  const tested = textFlag(args, 'contract')
  if (tested !== undefined) {
    return runContract(tested, args, io)
  }
  const whole = await loadLab(resolve(io.cwd, requiredArgument(args, 'LAB')), io)
  const lab = narrowLab(whole, { guests: listFlag(args, 'guest'), hosts: listFlag(args, 'host') })
  const bounds = {
    clockMs: durationFlag(args, 'clock'),
    freeBytes: sizeFlag(args, 'free-space'),
  }
  const checkLimitMs = durationFlag(args, 'check-limit')
  const interrupts = watchInterrupts(text => io.stderr.write(text), io.signal)
  const signal = interrupts.any
  let emulated: EmulatedLab | null = null
  let drivers: Drivers | null = null
  try {
    if (hasEmulatedGuests(lab)) {
      emulated = (await findRunningLab(whole, cacheFolder())) ?? (await startEmulatedLab(lab, signal))
    }
    const access = emulated?.access ?? new Map<string, FoundAccess>()
    const opened = openDrivers(lab, cacheFolder(), emulated ?? undefined)
    drivers = opened
    const reached = emulated ?? { hosts: new Map() }
    const hosts = new Map([...lab.hosts].map(([id, host]) => [id, reachedHost(host, reached)]))
    const subjects = subjectsOf({
      lab: { ...lab, hosts },
      driverOf: opened.driverOf,
      accessOf: (guest, { host, configuration }) => access.get(guestName(guest.id, host, configuration.name)),
      bounds,
      signal,
    })
    try {
      const parallel = countFlag(args, 'parallel') ?? 1
      const report = reportOf(lab.name, await examine(subjects.all, { parallel, checkLimitMs, signal }))
      answer(args, io, {
        value: report,
        text: paper => shown(report, paper),
        quiet: paper => (report.ok ? '' : shown(withoutOk(report), paper)),
      })
      return report.ok ? 0 : 3
    } finally {
      await subjects.close()
    }
  } catch (error) {
    if (signal.aborted) return 130
    throw error
  } finally {
    interrupts.close()
    await emulated?.close()
    await drivers?.close()
  }
}

/** Parsing has seen to what it looks like, and to its default. */
function durationFlag(args: ParsedArgs, name: string): number {
  const ms = parseAgeMs(textFlag(args, name) ?? '')
  if (ms === null) throw new InternalError(`doctor was begun without its ${name}`)
  return ms
}

function sizeFlag(args: ParsedArgs, name: string): number {
  const text = textFlag(args, name) ?? ''
  const bytes = parseSizeBytes(text)
  if (bytes === null) throw new UsageError(`--${name} ${text}: expected a size, such as 512MiB or 2GiB`)
  return bytes
}

/** What is to be mended. */
function withoutOk(report: Report): Report {
  const subjects = report.subjects.map(subject => ({
    ...subject,
    findings: subject.findings.filter(({ state }) => state !== 'ok'),
  }))
  return { ...report, subjects: subjects.filter(({ findings }) => findings.length > 0) }
}

function shown({ lab, ok, counts, subjects }: Report, { colors: c, table }: Paper): string {
  const words = {
    ok: c.green('ok'),
    missing: c.red('missing'),
    'not-checked': c.yellow('not checked'),
  }
  const rows = subjects.flatMap(({ host, guest, emulated, note, findings }) => {
    const name = guest === undefined ? host : `${host} › ${guest.id} ${guest.configuration}`
    const why = findings.length === 0 ? `: ${note ?? 'no checks'}` : ''
    return [
      `${name}${emulated ? ' (emulated)' : ''}${why}`,
      ...findings.map(({ check, state, asked, seen }) => [`  ${check}`, words[state], asked, seen]),
    ]
  })
  const all = table({ headings: ['CHECK', 'STATE', 'EXPECTED', 'FOUND'], rows })
  const sum = `${counts.ok} ok, ${counts.missing} missing, ${counts['not-checked']} not checked`
  return `${all}\n${lab}: ${ok ? c.green('ready') : c.red('not ready')}: ${sum}\n`
}
