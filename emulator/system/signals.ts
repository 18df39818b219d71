/** Signal names without `SIG` and their numbers on Linux x86_64. */
export const signalNumbers = {
  HUP: 1,
  INT: 2,
  QUIT: 3,
  ILL: 4,
  TRAP: 5,
  ABRT: 6,
  BUS: 7,
  FPE: 8,
  KILL: 9,
  USR1: 10,
  SEGV: 11,
  USR2: 12,
  PIPE: 13,
  ALRM: 14,
  TERM: 15,
  STKFLT: 16,
  CHLD: 17,
  CONT: 18,
  STOP: 19,
  TSTP: 20,
  TTIN: 21,
  TTOU: 22,
  URG: 23,
  XCPU: 24,
  XFSZ: 25,
  VTALRM: 26,
  PROF: 27,
  WINCH: 28,
  IO: 29,
  PWR: 30,
  SYS: 31,
} as const

export type SignalName = keyof typeof signalNumbers

/** Signals whose default action is to do nothing that the emulator shows. */
export const harmlessSignals: ReadonlySet<SignalName> = new Set([
  'CHLD',
  'CONT',
  'STOP',
  'TSTP',
  'TTIN',
  'TTOU',
  'URG',
  'WINCH',
])

/** Reads `9`, `KILL`, `SIGKILL` or `kill`; undefined when there is no such signal. */
export function parseSignal(text: string): SignalName | undefined {
  const bare = text.toUpperCase().replace(/^SIG/, '')
  for (const name of Object.keys(signalNumbers) as SignalName[]) {
    if (name === bare || String(signalNumbers[name]) === text) return name
  }
  return undefined
}
