import type { Guest } from 'guestcert/api'

/** How long the process in the guest sleeps between two ticks. */
export const tickMs = 200

/** A process in the guest that ticks for as long as it runs: who stands still does not tick. */
export interface Ticks {
  /** Ticks so far; `NaN` when the guest does not say. */
  count(): Promise<number>
  stop(): Promise<void>
}

/** Starts the process; throws when it does not run. It needs nothing but a shell and a sleep that knows fractions. */
export async function startTicks(guest: Guest): Promise<Ticks> {
  // Redirected by exec: a shell that redirects a loop keeps the command's output open beside it.
  const loop = `exec </dev/null >ticks 2>/dev/null;while :;do echo;sleep ${tickMs / 1000};done`
  const started = await guest.run(`cd "$GC_TMP"&&{ (${loop}) & echo $!;}`)
  const pid = started.stdout.trim()
  if (!/^\d+$/.test(pid)) {
    throw new Error(`no process was started to tick: ${started.stderr.trim()}`)
  }
  return {
    count: async () => {
      const { succeeded, stdout } = await guest.run(`kill -0 ${pid}&&wc -c <"$GC_TMP/ticks"`)
      return succeeded ? Number(stdout.trim()) : Number.NaN
    },
    stop: async () => {
      await guest.run(`kill ${pid}`)
    },
  }
}
