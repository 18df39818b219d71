import { SystemError } from '../../files/errno.js'
import { Trouble } from '../trouble.js'
import { VimFault } from './message.js'

/** Work that goes on after the call that began it. */
export interface Task {
  readonly id: string
  state: 'queued' | 'running' | 'success' | 'error'
  error: VimFault | undefined
  /** An element `result`. */
  result: string | undefined
}

/** Carries work out as a task: what it fails with is said when it has ended. */
export function runTask(id: string, work: () => Promise<string | undefined>, onEnd: () => void): Task {
  const task: Task = { id, state: 'queued', error: undefined, result: undefined }
  const carryOut = async (): Promise<void> => {
    task.state = 'running'
    try {
      task.result = await work()
      task.state = 'success'
    } catch (error) {
      task.error = faultOf(error)
      task.state = 'error'
    }
    onEnd()
  }
  setImmediate(() => void carryOut())
  return task
}

/** What a vCenter says of trouble of the model's. */
export function faultOf(error: unknown): VimFault {
  if (error instanceof VimFault) return error
  if (error instanceof Trouble || error instanceof SystemError) {
    return new VimFault('SystemError', `A general system error occurred: ${error.message}`)
  }
  throw error
}
