import type { Bytes } from '../files/bytes.js'
import type { Viewer } from '../files/nodes.js'
import { parseSignal, type SignalName } from './signals.js'
import type { System } from './system.js'

/** What `kill` was asked. */
export interface KillRequest {
  /** Undefined for signal 0: only ask whether it is there. */
  readonly signal: SignalName | undefined
  readonly targets: readonly Bytes[]
}

/** Reads the arguments of `kill`; undefined where they are wrong, `list` for `-l`. */
export function readKill(args: readonly Bytes[]): KillRequest | 'list' | undefined {
  const [first = '', ...rest] = args
  if (first === '-l' || first === '-L') return 'list'
  if (first === '-s' || first === '-n') return withSignal(rest[0] ?? '', rest.slice(1))
  if (first === '--') return { signal: 'TERM', targets: rest }
  if (/^-./.test(first)) return withSignal(first.slice(1), rest)
  return args.length === 0 ? undefined : { signal: 'TERM', targets: args }
}

function withSignal(name: Bytes, rest: readonly Bytes[]): KillRequest | undefined {
  const targets = rest[0] === '--' ? rest.slice(1) : rest
  if (targets.length === 0) return undefined
  if (name === '0') return { signal: undefined, targets }
  const signal = parseSignal(name)
  return signal && { signal, targets }
}

/** Sends the signal; gives for each target that could not be reached why. */
export function sendSignal(system: System, sender: Viewer, { signal, targets }: KillRequest): string[] {
  const failures: string[] = []
  for (const target of targets) {
    if (!/^-?\d+$/.test(target)) {
      failures.push(`Illegal number: ${target}`)
      continue
    }
    const id = Number(target)
    const self = system.processes.get(sender.pid)
    const processes = system.processes.targets(id === 0 ? -(self?.pgid ?? 0) : id)
    const allowed = processes.filter(process => sender.uid === 0 || sender.uid === process.uid)
    if (processes.length === 0) failures.push(`(${target}) - No such process`)
    else if (allowed.length === 0) failures.push(`(${target}) - Operation not permitted`)
    // The sender comes last: it may not outlive its own signal.
    if (signal) {
      for (const process of allowed) if (process.pid !== sender.pid) process.deliver(signal)
      for (const process of allowed) if (process.pid === sender.pid) process.deliver(signal)
    }
  }
  return failures
}
