import { setTimeout as wait } from 'node:timers/promises'
import type { Limit } from '../limit.js'
import type { Said } from '../shared/several.js'
import { askAll, type EsxiHost, vimCmd } from './host.js'
import { parseTask, parseTasks } from './output.js'
import { type Fault, faultOf, refusalOf } from './words.js'

/** A command that changes a machine. */
export interface Change {
  readonly vmid: string
  readonly command: string
  readonly limit: Limit
  /** The instance, for messages. */
  readonly where: string
}

/** What became of a change, by the word of the host: its own fault, or that of its task. */
export interface Outcome {
  readonly text: string
  readonly fault: Fault | null
}

/**
 * Changes a machine, and follows the task that it has begun to its end: a command may return before its work is done, and
 * before it fails. Throws InfraError only where the host was not asked.
 */
export async function change(
  host: EsxiHost,
  { vmid, command, limit, where }: Change,
  signal: AbortSignal,
): Promise<Outcome> {
  const startedAt = performance.now()
  const tasks = vimCmd('vmsvc/get.tasklist', vmid)
  const call = { signal, limit, where }
  const [before, said, after] = await askAll(host, [tasks, command, tasks], call, 1)
  const text = said?.text ?? ''
  const refused = said === undefined ? null : refusalOf(said)
  const begun = tasksIn(after).filter(task => !tasksIn(before).includes(task))
  const task = begun.at(-1)
  if (refused !== null || task === undefined) {
    return { text, fault: refused }
  }
  for (;;) {
    const [answer] = await askAll(host, [vimCmd('vimsvc/task_info', task)], call)
    // One that the host has forgotten is judged by what is seen of the machine.
    if (answer === undefined || faultOf(answer) !== null) {
      return { text, fault: null }
    }
    const { state, why } = parseTask(answer.text)
    if (state === 'success' || state === 'error') {
      return { text, fault: state === 'error' ? { text: `${task}: ${why}` } : null }
    }
    if (performance.now() - startedAt > limit.ms) {
      return { text, fault: { text: `${task} is still ${state} after ${limit.name} (${limit.ms} ms)` } }
    }
    await wait(host.limits.lookEvery.ms, undefined, { signal })
  }
}

/** A list that cannot be had names no tasks: what was done is then judged by what is seen of the machine. */
function tasksIn(said: Said | undefined): readonly string[] {
  return said === undefined || faultOf(said) !== null ? [] : parseTasks(said.text)
}
