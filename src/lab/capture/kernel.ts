import { clocksourceSymbols } from './catalogue.js'
import { linesOf, textOf, wordOf } from './probe.js'
import { captured, cpuFields, type Fact, pairsOf, type Subject } from './subject.js'

/** What the kernel keeps of each page for itself, in parts of a thousand: 64 bytes of 4 KiB. */
const reservedPerMille = 16
/** A guest with so many lines of memory is not a guest. */
const mostFields = 200
const randomBytes = '16'

/** Facts of the kernel, by section of a persona. */
export function kernelSections(subject: Subject): Record<string, Fact> {
  const { answers, scrub } = subject
  const log = textOf(answers, 'log')
  const pids = linesOf(answers, 'processes').map(line => Number.parseInt(line, 10))
  return {
    kernel: captured({
      release: wordOf(answers, 'uname-r'),
      version: wordOf(answers, 'uname-v'),
      procVersion: wordOf(answers, 'proc-version'),
      processor: wordOf(answers, 'uname-p') || 'unknown',
      platform: wordOf(answers, 'uname-i') || 'unknown',
      timestamps: /^(?:<\d+>)?\[ *\d+\.\d+\]/m.test(log),
      logRestricted: wordOf(answers, 'file /proc/sys/kernel/dmesg_restrict') === '1',
      firstPid: Math.max(2, ...pids.filter(Number.isInteger)) + 1,
      maxPid: Number(wordOf(answers, 'file /proc/sys/kernel/pid_max') || '32768'),
      cmdline: scrub(wordOf(answers, 'cmdline')),
      tainted: Number(wordOf(answers, 'tainted') || '0'),
    }),
    // Of AMD's processors alone, and so no property of the kernel.
    processors: captured({ fields: [...cpuFields(subject).keys()].filter(name => name !== 'TLB size') }),
    memory: captured(memory(subject)),
    virtual: captured({
      clocksources: knownClocksources(subject),
      dmi: pairsOf(answers, 'dmi')
        .map(([name]) => name)
        .filter(name => /^(?:bios|board|chassis|product|sys|ec)_/.test(name)),
      hypervisorDirectory: linesOf(answers, 'there').includes('/sys/hypervisor'),
    }),
    entropy: captured({
      available: Number(wordOf(answers, 'entropy-available') || '0'),
      poolBits: Number(wordOf(answers, 'entropy-pool') || '0'),
      random: (answers.get('random')?.text.trim() ?? '') === randomBytes ? 'flows' : 'blocks',
    }),
  }
}

function memory({ answers, placement }: Subject): Record<string, unknown> {
  const fields = linesOf(answers, 'meminfo')
    .map(line => line.slice(0, line.indexOf(':')))
    .filter(name => /^[\w()]{1,40}$/.test(name))
  const total = Number(/^MemTotal: *(\d+) kB$/m.exec(textOf(answers, 'meminfo'))?.[1] ?? Number.NaN) * 1024
  const given = placement.configuration.memoryBytes ?? roundedUp(total)
  return {
    reservedBytes: Math.max(0, given - total - Math.ceil((given * reservedPerMille) / 1000)),
    reservedPerMille,
    fields: fields.slice(0, mostFields),
  }
}

/** Memory is given in pieces of 64 MiB, where the lab does not say how much it was. */
function roundedUp(bytes: number): number {
  const piece = 64 * 1_048_576
  return Math.ceil(bytes / piece) * piece
}

/** What this kernel could use if it were offered, by its symbols; what it was offered where those are hidden. */
function knownClocksources({ answers }: Subject): string[] {
  const offered = wordOf(answers, 'clocksources').split(' ').filter(Boolean)
  const symbols = new Set(linesOf(answers, 'symbols').map(line => line.trim().split(' ').at(-1)))
  const known = Object.entries(clocksourceSymbols)
    .filter(([symbol, name]) => name !== 'jiffies' && (symbols.has(symbol) || offered.includes(name)))
    .map(([, name]) => name)
  const others = offered.filter(name => !known.includes(name))
  return [...known, ...others]
}
