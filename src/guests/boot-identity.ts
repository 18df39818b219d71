import { InfraError } from '../config/errors.js'
import type { Machine } from '../remote/machine.js'

/** What tells one boot of a Linux guest from another. */
export interface BootIdentity {
  /** `/proc/sys/kernel/random/boot_id`; `null` where the kernel has none. */
  readonly bootId: string | null
  /** When the kernel says that it was booted, by its own clock: seconds since 1970. */
  readonly btimeSec: number
  /** How long it says that it has been up. */
  readonly uptimeSec: number
  /** When the answer came, on the runner's monotonic clock (`performance.now()`). */
  readonly takenAtMs: number
}

/** Whether two identities prove that the guest was booted in between. */
export interface RebootProof {
  readonly proven: boolean
  /** Why, or why not, in words. */
  readonly why: string
}

/** `btime` moves when the guest's clock is set: less than this is not a sign of another boot. */
export const btimeToleranceSec = 5

/**
 * Prints the boot identity with the shell's own means: no program is started, for this is asked while a
 * guest goes down or comes up.
 */
export const bootIdentityCommand: string = [
  'if [ -r /proc/sys/kernel/random/boot_id ];then read -r v </proc/sys/kernel/random/boot_id;echo "boot_id=$v";fi',
  'while read -r k v x;do case $k in btime)echo "btime=$v";break;;esac;done </proc/stat',
  'read -r v x </proc/uptime;echo "uptime=$v"',
].join(';')

const longestAnswer = 300

/** Reads what {@link bootIdentityCommand} printed; `null` when it is not exactly that. */
export function parseBootIdentity(text: string, takenAtMs: number): BootIdentity | null {
  const match =
    text.length > longestAnswer
      ? null
      : /^(?:boot_id=([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\n)?btime=(\d{1,12})\nuptime=(\d{1,10}\.\d{1,9})\n$/.exec(
          text,
        )
  return match === null
    ? null
    : {
        bootId: match[1] ?? null,
        btimeSec: Number(match[2]),
        uptimeSec: Number(match[3]),
        takenAtMs,
      }
}

/** Asks a guest who it is, in one command. Throws InfraError (`command`, `lost`) when no answer makes sense. */
export async function readBootIdentity(
  machine: Machine,
  { limitMs, signal }: { readonly limitMs?: number; readonly signal?: AbortSignal } = {},
): Promise<BootIdentity> {
  const { exit, stdout } = await machine.run(bootIdentityCommand, {
    limitName: 'boot identity',
    ...(limitMs === undefined ? {} : { limitMs }),
    ...(signal === undefined ? {} : { signal }),
  })
  const isWhole = exit.kind === 'code' && exit.code === 0 && !stdout.truncated
  const identity = isWhole ? parseBootIdentity(stdout.text, performance.now()) : null
  if (identity === null) {
    const how = exit.kind === 'code' ? `status ${exit.code}` : exit.kind
    throw new InfraError(`${machine.label}: the boot identity could not be read (${how})`, {
      cause: machine.lost.aborted ? 'network' : 'guest',
      where: machine.label,
      code: machine.lost.aborted ? 'lost' : 'command',
    })
  }
  return identity
}

/** Whether both were taken in the same boot: by `boot_id` where there is one, else by `btime`. */
export function isSameBoot(before: BootIdentity, after: BootIdentity): boolean {
  return before.bootId !== null && after.bootId !== null
    ? before.bootId === after.bootId
    : Math.abs(before.btimeSec - after.btimeSec) <= btimeToleranceSec
}

/**
 * A reboot is proven by a changed identity and an uptime smaller than the time since the command:
 * either alone may lie (a restored snapshot, a clock that was set). `sinceCommandMs` is the time from
 * sending the command until `after` was taken.
 */
export function provesReboot(before: BootIdentity, after: BootIdentity, sinceCommandMs: number): RebootProof {
  const uptime = `up for ${after.uptimeSec} s, ${(sinceCommandMs / 1000).toFixed(1)} s after the command`
  if (isSameBoot(before, after)) {
    const what =
      after.bootId !== null && before.bootId !== null
        ? `boot_id is still ${after.bootId}`
        : `btime is still ${after.btimeSec}`
    return { proven: false, why: `${what}; ${uptime}` }
  }
  const changed =
    after.bootId !== null && before.bootId !== null
      ? `boot_id changed from ${before.bootId} to ${after.bootId}`
      : `btime changed from ${before.btimeSec} to ${after.btimeSec}`
  return after.uptimeSec * 1000 < sinceCommandMs
    ? { proven: true, why: `${changed}; ${uptime}` }
    : { proven: false, why: `${changed}, but it has been ${uptime}` }
}
