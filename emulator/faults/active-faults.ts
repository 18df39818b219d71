import type { Faults } from './schema.js'

/** How one command misbehaves. */
export interface CommandFaults {
  readonly idle: boolean
  readonly hang: 'start' | 'end' | RegExp | undefined
  readonly flood: 'stdout' | 'stderr' | undefined
  readonly garbage: 'stdout' | 'stderr' | undefined
  readonly drop: { readonly afterBytes?: number | undefined; readonly afterOutput?: RegExp } | undefined
  readonly truncatedBytes: number
  readonly lostStatus: boolean
  readonly signal: string | undefined
  readonly exit: number | undefined
  /** What is carried out in place of the command. */
  readonly altered: string | undefined
  readonly reboots: boolean
  /** Why the kernel panics; undefined where it does not. */
  readonly panics: string | undefined
}

/** What makes a fault happen, and how often it may. */
interface Triggered {
  readonly command?: string | undefined
  readonly times?: number | undefined
}

/** Decides, command by command, which of a guest's faults happen. */
export class ActiveFaults {
  readonly faults: Faults
  readonly #happened = new Map<string, number>()

  constructor(faults: Faults) {
    this.faults = faults
  }

  #happens(name: string, fault: Triggered | undefined, line: string): boolean {
    if (!fault || (fault.command !== undefined && !new RegExp(fault.command).test(line))) return false
    const before = this.#happened.get(name) ?? 0
    if (fault.times !== undefined && before >= fault.times) return false
    this.#happened.set(name, before + 1)
    return true
  }

  #hang(command: string): CommandFaults['hang'] {
    const { hang } = this.faults
    if (!hang || hang.at === 'program' || !this.#happens('hang', hang, command)) return undefined
    return hang.afterOutput === undefined ? hang.at : new RegExp(hang.afterOutput)
  }

  /** Whether a program that is about to start will never end. */
  stops(line: string): boolean {
    const { hang } = this.faults
    return hang?.at === 'program' && this.#happens('hang', hang, line)
  }

  /** The faults of a command that is about to start. */
  forCommand(command: string): CommandFaults {
    const { faults } = this
    const happens = (name: string, fault: Triggered | undefined): boolean =>
      this.#happens(name, fault, command)
    const { drop, unaskedReboot, panic } = faults
    const dropped = happens('drop', drop) ? drop : undefined
    return {
      idle: happens('idle', faults.idle),
      hang: this.#hang(command),
      flood: happens('flood', faults.flood) ? faults.flood?.stream : undefined,
      garbage: happens('garbage', faults.garbage) ? faults.garbage?.stream : undefined,
      drop: dropped && {
        afterBytes: dropped.afterBytes,
        ...(dropped.afterOutput === undefined ? {} : { afterOutput: new RegExp(dropped.afterOutput) }),
      },
      truncatedBytes: happens('truncated', faults.truncated) ? (faults.truncated?.bytes ?? 0) : 0,
      lostStatus: happens('lostStatus', faults.lostStatus),
      signal: happens('signalled', faults.signalled) ? faults.signalled?.signal : undefined,
      exit: happens('wrongStatus', faults.wrongStatus) ? faults.wrongStatus?.exit : undefined,
      altered: happens('altered', faults.altered)
        ? command.replace(new RegExp(faults.altered?.command ?? '', 'g'), faults.altered?.to ?? '')
        : undefined,
      panics:
        panic?.command !== undefined && happens('panic', { command: panic.command, times: 1 })
          ? panic.reason
          : undefined,
      reboots:
        unaskedReboot?.command !== undefined &&
        happens('reboot', { command: unaskedReboot.command, times: 1 }),
    }
  }
}

/** Bytes that careless readers trip over: terminal escapes, ends of XML sections, NULs, broken UTF-8, false TAP. */
export const hostileBytes = Buffer.concat([
  Buffer.from('\x1b]0;owned\x07\x1b[2J\x1b[31m]]>]]><![CDATA[</testcase>&#0;&\r\n'),
  Buffer.from([0x00, 0x01, 0x08, 0x0b, 0x7f, 0xc3, 0x28, 0xff, 0xfe, 0xed, 0xa0, 0x80, 0xf8, 0x88]),
  Buffer.from(
    '\n\u202e\u2028\ufeff\ufffe\u0085::error::%0A##vso[task.complete result=Succeeded;]\nok 999 - forged\n1..999\r',
  ),
])
