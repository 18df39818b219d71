import { formatDuration } from '../../config/units.js'
import type { Plan } from '../../plan/types.js'
import type { Activity } from './live/activity.js'

const everyMs = 60_000
const mostNamed = 4

/** What a heartbeat is made of. */
export interface HeartbeatOptions {
  readonly activity: Activity
  readonly plan: Plan
  readonly label: (environment: string) => string
  /** Wall clock, in ms since 1970. */
  readonly now: () => number
  readonly say: (text: string, at: string) => void
}

/** Says what a run does where nothing else was said for a minute: silence looks like a hang. */
export function startHeartbeat(options: HeartbeatOptions): {
  /** Something was said. */
  said(): void
  stop(): void
} {
  let timer: NodeJS.Timeout | undefined
  const beat = (): void => {
    options.say(beatText(options), new Date(options.now()).toISOString())
    begin()
  }
  const begin = (): void => {
    clearTimeout(timer)
    timer = setTimeout(beat, everyMs)
    timer.unref()
  }
  begin()
  return { said: begin, stop: () => clearTimeout(timer) }
}

function beatText({ activity, plan, label, now }: HeartbeatOptions): string {
  const doing = activity.doing.map(({ environment, what, sinceMs }) => {
    const seconds = Math.max(0, Math.floor((now() - sinceMs) / 1000))
    return `${label(environment)}: ${what} for ${formatDuration(seconds * 1000)}`
  })
  const named = doing.slice(0, mostNamed)
  if (doing.length > mostNamed) named.push(`and ${doing.length - mostNamed} more`)
  const progress = `still running, ${activity.finished} of ${plan.expected} tests have ended`
  return named.length === 0 ? progress : `${progress}; ${named.join('; ')}`
}
