import type { Admission } from './admission.js'
import type { Job } from './queue.js'

export interface ScheduleOptions {
  readonly admission: Admission
  readonly jobs: readonly Job[]
  /** Monotonic time in ms, as the admission's estimates count it. */
  readonly now: () => number
  /** Once aborted, nothing that waits begins any more. */
  readonly drain: AbortSignal
  /** Serves a job on a host. Resolves to `null` when it has ended, else to the hosts on which it goes on. */
  readonly serve: (job: Job, host: string) => Promise<readonly string[] | null>
  /** A job for which no host is left. */
  readonly onNoHost: (job: Job) => void
}

/**
 * Serves every job once it is admitted, until all have ended. A job that moves gives its host's room back
 * before it waits for another's. Rejects with the first error of `serve`, when all that runs has ended.
 */
export async function schedule(options: ScheduleOptions): Promise<void> {
  const { admission, jobs, now, drain, serve, onNoHost } = options
  const errors: unknown[] = []
  const whole = new Map(jobs.map(job => [job.id, job]))
  let wake = (): void => {}

  async function serveOnce(job: Job, host: string): Promise<void> {
    const goesOn = await serve(job, host).catch((error: unknown) => {
      errors.push(error)
      return null
    })
    admission.release(job.id)
    if (goesOn !== null) {
      const { offers } = whole.get(job.id) ?? job
      submit({ ...job, offers: offers.filter(offer => goesOn.includes(offer.host)) })
    }
    wake()
  }

  function submit(job: Job): void {
    if (!drain.aborted && !admission.submit(job, now())) {
      onNoHost(job)
    }
  }

  for (const job of jobs) {
    submit(job)
  }
  drain.addEventListener('abort', () => wake(), { once: true })
  while (admission.waiting > 0 || admission.running > 0) {
    const woken = new Promise<void>(resolve => {
      wake = resolve
    })
    if (drain.aborted || errors.length > 0) {
      admission.drop()
    }
    for (const { job, host } of admission.admit(now())) {
      void serveOnce(job, host)
    }
    if (admission.running > 0) {
      await woken
    } else if (admission.waiting > 0) {
      throw new TypeError(`nothing runs, and ${admission.waiting} environments wait`)
    }
  }
  if (errors.length > 0) {
    throw errors[0]
  }
}
