import { setTimeout as pause } from 'node:timers/promises'
import { InfraError } from '../config/errors.js'
import type { Limits } from '../config/limits.js'
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

/** `btime` moves when the guest's clock is set: less than this is no sign of another boot. */
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
  signal?: AbortSignal,
  limitMs?: number,
): Promise<BootIdentity> {
  const { exit, stdout } = await machine.run(bootIdentityCommand, {
    limitName: 'boot identity',
    ...(limitMs === undefined ? {} : { limitMs }),
    ...(signal === undefined ? {} : { signal }),
  })
  const isWhole = exit.kind === 'code' && exit.code === 0 && !stdout.truncated
  const identity = isWhole ? parseBootIdentity(stdout.text, performance.now()) : null
  if (identity === null) {
    throw unreadable(
      machine.label,
      machine.lost.aborted,
      exit.kind === 'code' ? `status ${exit.code}` : exit.kind,
    )
  }
  return identity
}

/**
 * The identity among the facts of a guest (`boot.id`, `boot.time`, `uptime`), which came just now.
 * Throws InfraError (`command`) when they make no sense.
 */
export function identityFromFacts(facts: Readonly<Record<string, string>>, where: string): BootIdentity {
  const { 'boot.id': id, 'boot.time': time = '', uptime = '' } = facts
  const text = `${id === undefined ? '' : `boot_id=${id}\n`}btime=${time}\nuptime=${uptime.split(' ')[0]}\n`
  const identity = parseBootIdentity(text, performance.now())
  if (identity === null) {
    throw unreadable(where, false, 'its facts lack it')
  }
  return identity
}

function unreadable(where: string, isLost: boolean, how: string): InfraError {
  return new InfraError(`${where}: the boot identity could not be read (${how})`, {
    cause: isLost ? 'network' : 'guest',
    where,
    code: isLost ? 'lost' : 'command',
  })
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

/** What is needed to reboot a guest and to know that it was. */
export interface RebootRequest {
  /** The connection of this moment; after `reconnect`, the new one. */
  readonly machine: () => Machine
  /** Gives up the old connection and makes a new one, trying again until the signal aborts. */
  readonly reconnect: (signal: AbortSignal) => Promise<Machine>
  readonly limits: Pick<Limits, 'reboot' | 'command'>
  readonly signal: AbortSignal
  /** Asks the guest to reboot; {@link rebootCommand} if absent. */
  readonly command?: string
}

/** `shutdown` tells init on every Linux since the eighties; busybox has `reboot` alone. */
export const rebootCommand: string =
  'if command -v shutdown >/dev/null 2>&1;then exec shutdown -r now;else exec reboot;fi'

/** How often a guest that has not gone down yet is looked at. */
const lookEveryMs = 1_000
/** How long one look may take: a guest that goes down may hold a connection without answering. */
const lookLimitMs = 5_000

/**
 * Reboots a guest, waits until it is connected again and the reboot is proven, and returns the new
 * identity. A connection that is made before the guest went down proves nothing, and is used to wait
 * until it does. Throws InfraError (`reboot`) when the guest refused or `limits.reboot` was reached;
 * errors of `reconnect` that no retry can mend are thrown as they are.
 */
export async function reboot(request: RebootRequest): Promise<BootIdentity> {
  const { limits } = request
  const { label } = request.machine()
  const signal = AbortSignal.any([request.signal, AbortSignal.timeout(limits.reboot)])
  const before = await readBootIdentity(request.machine(), signal)
  const sentAt = performance.now()
  await askForReboot(request, signal)
  const outcome = await untilProven(request, before, sentAt, signal)
  if ('bootId' in outcome) {
    return outcome
  }
  if (request.signal.aborted) {
    throw new InfraError(`${label}: the reboot was cancelled; ${outcome.why}`, {
      cause: 'runner',
      where: label,
      code: 'cancelled',
    })
  }
  throw new InfraError(
    `${label}: no reboot was seen within the limit "reboot" of ${limits.reboot} ms: ${outcome.why}`,
    { cause: 'guest', where: label, code: 'reboot', limit: 'reboot' },
  )
}

async function askForReboot(request: RebootRequest, signal: AbortSignal): Promise<void> {
  const machine = request.machine()
  const { exit, stderr } = await machine.run(request.command ?? rebootCommand, {
    signal,
    limitMs: request.limits.command,
  })
  // A status that never came, or a signal, is what a guest that goes down leaves.
  if (exit.kind === 'code' && exit.code !== 0) {
    const said = stderr.text.replace(/[^\x20-\x7e]+/g, ' ').slice(0, 200)
    throw new InfraError(
      `${machine.label}: the guest refused to reboot: status ${exit.code} ${said}`.trim(),
      {
        cause: 'guest',
        where: machine.label,
        code: 'reboot',
      },
    )
  }
}

async function untilProven(
  request: RebootRequest,
  before: BootIdentity,
  sentAt: number,
  signal: AbortSignal,
): Promise<BootIdentity | { readonly why: string }> {
  let why = 'the guest did not go down'
  while (!signal.aborted) {
    await untilLost(request.machine().lost, lookEveryMs, signal)
    const machine = request.machine()
    const after = machine.lost.aborted ? null : await look(machine)
    if (after === null) {
      why = (await reconnectOnce(request, signal)) ?? 'the guest did not answer after it was reached again'
      continue
    }
    const proof = provesReboot(before, after, after.takenAtMs - sentAt)
    if (proof.proven) {
      return after
    }
    why = proof.why
  }
  return { why }
}

/** Says why the guest cannot be reached, or `null` when it was; throws what trying again cannot mend. */
async function reconnectOnce({ reconnect }: RebootRequest, signal: AbortSignal): Promise<string | null> {
  try {
    await reconnect(signal)
    return null
  } catch (error) {
    const code = error instanceof InfraError ? error.context.code : null
    if (!signal.aborted && (code === null || code === 'host-key' || code === 'authentication')) {
      throw error
    }
    return error instanceof Error ? error.message : String(error)
  }
}

/** The identity, or `null` when the connection does not give it in time. */
async function look(machine: Machine): Promise<BootIdentity | null> {
  const reading = readBootIdentity(machine, undefined, lookLimitMs).catch(() => null)
  const late = new AbortController()
  try {
    return await Promise.race([reading, pause(lookLimitMs, null, { signal: late.signal }).catch(() => null)])
  } finally {
    late.abort()
  }
}

/** Waits for the loss of a connection, but not longer than this. */
async function untilLost(lost: AbortSignal, ms: number, signal: AbortSignal): Promise<void> {
  await pause(ms, undefined, { signal: AbortSignal.any([lost, signal]) }).catch(() => {})
}
