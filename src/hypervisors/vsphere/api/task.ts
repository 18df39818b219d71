import { setTimeout as wait } from 'node:timers/promises'
import { InfraError } from '../../../config/errors.js'
import { type Element, find, isSame, numberAt, type Reference, referenceOf, textAt } from '../soap/element.js'
import { isFault, readLocalizedFault, VimFault } from '../soap/fault.js'
import type { Call, CallOptions, Session } from '../soap/session.js'
import { type Properties, readObject } from './properties.js'

/** Work of the server's that goes on after the call that began it, and may fail at any time until its end. */
export interface Task {
  readonly self: Reference
  /** The method that began it. */
  readonly method: string
  state: 'queued' | 'running' | 'success' | 'error'
  /** In percent, as far as the server tells. */
  progress: number | undefined
  result: Element | undefined
  error: VimFault | null
}

/** What of a task is read. */
export const taskPaths = ['info'] as const

/** Begins a task. Once it is sent it is begun: the signal does not end the wait for the answer. */
export async function beginTask(
  session: Session,
  call: Omit<Call, 'changes'>,
  options: CallOptions,
): Promise<Task> {
  const self = referenceOf(await session.call({ ...call, changes: true }, options))
  if (self === undefined) {
    throw new InfraError(`${options.where}: ${call.method} gave no task`, {
      cause: 'host',
      where: options.where,
      code: 'command',
    })
  }
  const { method } = call
  return { self, method, state: 'queued', progress: undefined, result: undefined, error: null }
}

/** Takes over what was read of a task; one that the server has forgotten has ended, and nobody knows how. */
export function updateTask(task: Task, read: readonly Properties[], where: string): void {
  const info = read.find(({ self }) => isSame(self, task.self))?.at('info')
  const state = textAt(info, 'state')
  if (info === undefined) {
    task.state = 'success'
    return
  }
  task.state = state === 'success' || state === 'error' || state === 'running' ? state : 'queued'
  task.progress = numberAt(info, 'progress')
  task.result = find(info, 'result')
  const error = find(info, 'error')
  if (task.state === 'error') {
    const parts =
      error === undefined
        ? { fault: 'Fault', message: 'failed', detail: undefined }
        : readLocalizedFault(error)
    task.error = new VimFault(where, task.method, parts)
  }
}

/** Follows a task to its end. Throws VimFault with what it failed with, and InfraError when it takes too long. */
export async function finishTask(
  session: Session,
  task: Task,
  everyMs: number,
  options: CallOptions,
): Promise<Task> {
  const { signal, limit, where } = options
  const startedAt = performance.now()
  for (;;) {
    const read = await readObject(session, task.self, taskPaths, options)
    updateTask(task, read === null ? [] : [read], where)
    if (task.error !== null) {
      throw task.error
    }
    if (task.state === 'success') {
      return task
    }
    if (performance.now() - startedAt > limit.ms) {
      const progress = task.progress === undefined ? '' : ` at ${task.progress} %`
      const message = `${where}: ${task.method} is still ${task.state}${progress} after ${limit.ms} ms (limit: ${limit.name})`
      throw new InfraError(message, { cause: 'host', where, code: 'limit', limit: limit.name })
    }
    await wait(everyMs, undefined, { signal })
  }
}

/** Asks the server to end a task. Most cannot be: it is waited for. */
export async function cancelTask(session: Session, task: Reference, options: CallOptions): Promise<void> {
  try {
    await session.call({ self: task, method: 'CancelTask', changes: true }, options)
  } catch (error) {
    if (!isFault(error, 'NotSupported', 'InvalidState', 'ManagedObjectNotFound', 'NoPermission')) {
      throw error
    }
  }
}
