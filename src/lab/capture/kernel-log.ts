import type { Scrub } from '../../text/scrub.js'

/** A line of a kernel's log, as a persona has it. */
export interface LogLine {
  /** Seconds since boot. */
  readonly at: number
  readonly text: string
  readonly level?: number
}

/** A kernel's log, divided by what is known of where it holds. */
export interface DividedLog {
  /** What this kernel says on any machine, with the machine's own values as placeholders. */
  readonly anywhere: readonly LogLine[]
  /** What it said here: of other hypervisors and devices it is not known. */
  readonly here: readonly LogLine[]
}

const mostLines = 2_000
const longestLine = 1_000
const usualLevel = 6

/** Lines with the time of day, which is another at every boot. */
const timely = /\bsetting system clock to\b|\baudit\(\d+\.\d+:\d+\)|\bHardware RTC\b/

const placeholders: readonly (readonly [pattern: RegExp, by: string])[] = [
  [/^(Command line|Kernel command line): .*$/, '$1: {cmdline}'],
  [/^Memory: \d+K\/\d+K available/, 'Memory: {availableKiB}K/{memoryKiB}K available'],
  [/^(smp: Brought up 1 node, )\d+( CPUs?)$/, '$1{vcpus}$2'],
]

/** Reads what `dmesg -r` printed, or `dmesg` where that is not known. */
export function readLog(text: string, procVersion: string, scrub: Scrub): DividedLog {
  const anywhere: LogLine[] = []
  const here: LogLine[] = []
  let at = 0
  for (const line of text.split('\n').slice(0, mostLines)) {
    const match = /^(?:<(\d{1,3})>)?(?:\[ *(\d+\.\d+)\] ?)?(.*)$/.exec(line)
    const said = clean(match?.[3] ?? '')
    at = match?.[2] === undefined ? at : Number(match[2])
    if (said.trim() === '' || timely.test(said)) {
      continue
    }
    // The lower three bits of syslog's number are the level (RFC 5424, 6.2.1).
    const level = match?.[1] === undefined ? usualLevel : Number(match[1]) & 7
    const put = (into: LogLine[], words: string): void => {
      into.push({ at, text: words, ...(level === usualLevel ? {} : { level }) })
    }
    const general = said === procVersion ? '{procVersion}' : generalized(said)
    if (general === null) {
      put(here, scrub(said))
    } else {
      put(anywhere, scrub(general))
    }
  }
  return { anywhere, here }
}

function generalized(text: string): string | null {
  for (const [pattern, by] of placeholders) {
    if (pattern.test(text)) {
      return text.replace(pattern, by)
    }
  }
  return null
}

/** What is not printable text has no place in a file that people read. */
function clean(text: string): string {
  return text
    .replace(/[^\x20-\x7e\u00a0-\ud7ff]/g, ' ')
    .slice(0, longestLine)
    .trimEnd()
}
