/** A message that a system writes to its console when it breaks. */
export interface CrashPattern {
  /** What it is called in reports. */
  readonly name: string
  readonly pattern: RegExp
  /** The source that prints it. */
  readonly source: string
}

/**
 * What kernels print when they break, whatever stands before it on the line: a time, a log-in prompt. Faults of
 * programs, which kernels report in similar words, carry no number of the oops (`[#1]`) and are not meant.
 */
export const crashPatterns: readonly CrashPattern[] = [
  {
    name: 'kernel panic',
    pattern: /Kernel panic - not syncing/,
    source: 'Linux, kernel/panic.c: vpanic()',
  },
  {
    name: 'kernel BUG',
    pattern: /kernel BUG at \S+:\d+!/,
    source: 'Linux, lib/bug.c: report_bug()',
  },
  {
    name: 'kernel page fault',
    pattern: /BUG: (?:unable to handle|kernel NULL pointer dereference)/,
    source: 'Linux from 2.6.20 on, arch/x86/mm/fault.c: show_fault_oops()',
  },
  {
    name: 'kernel page fault',
    pattern: /Unable to handle kernel (?:NULL pointer dereference|paging request|access to user memory)/,
    source: 'Linux before 2.6.20, arch/x86_64/mm/fault.c; arch/arm64/mm/fault.c: die_kernel_fault()',
  },
  {
    name: 'kernel oops',
    // 2.6.18 on x86-64 numbers its oopses without "#".
    pattern:
      /(?:Oops|general protection fault|invalid opcode|double fault|stack segment)\b.*: [0-9a-f]{4,16}(?: ilc:\d)? \[#?\d+\]/,
    source: 'Linux, arch/x86/kernel/dumpstack.c: __die_header(); arch/*/kernel/traps.c: die()',
  },
  {
    name: 'Xen panic',
    pattern: /\(XEN\) Panic on CPU \d+/,
    source: 'Xen, xen/drivers/char/console.c: panic()',
  },
  {
    name: 'Windows stop',
    pattern: /\*\*\* STOP: 0x[0-9A-Fa-f]{8}/,
    source:
      'Windows over Emergency Management Services: the text of a stop screen, as in ReactOS, ntoskrnl/ke/bug.c: KiDisplayBlueScreen()',
  },
]

/** The pattern that a line of a console fits, if any. */
export function crashOf(line: string): CrashPattern | null {
  return crashPatterns.find(({ pattern }) => pattern.test(line)) ?? null
}
