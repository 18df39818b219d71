/** What one task leaves to be undone. */
interface Teardown {
  readonly name: string
  readonly undo: () => Promise<unknown>
}

/** Does named tasks in order, and remembers how each is undone. */
export interface Tasks {
  /** Does one task. `undo` is called in teardown with what the task gave, and only if it gave something. */
  do<T>(name: string, work: () => Promise<T> | T, undo?: (made: T) => Promise<unknown>): Promise<T>
}

/**
 * Carries out `work` as a list of named tasks. When it ends, well or not, every task that was done is undone, the last
 * first; one that cannot be undone keeps none of the others from its turn.
 *
 * @param warn is told of each teardown that failed after `work` itself had failed.
 * @throws what `work` throws, else the first error of the teardown.
 */
export async function withTasks<T>(
  work: (tasks: Tasks) => Promise<T>,
  warn: (text: string) => void,
): Promise<T> {
  const teardowns: Teardown[] = []
  const tasks: Tasks = {
    do: async (name, task, undo) => {
      const made = await task()
      if (undo !== undefined) {
        teardowns.push({ name, undo: () => undo(made) })
      }
      return made
    },
  }
  let ended: T
  try {
    ended = await work(tasks)
  } catch (error) {
    for (const { name, why } of await undoAll(teardowns)) {
      warn(`could not undo "${name}": ${why instanceof Error ? why.message : String(why)}`)
    }
    throw error
  }
  const [first] = await undoAll(teardowns)
  if (first !== undefined) {
    throw first.why
  }
  return ended
}

async function undoAll(teardowns: readonly Teardown[]): Promise<readonly { name: string; why: unknown }[]> {
  const failed: { name: string; why: unknown }[] = []
  for (const { name, undo } of teardowns.toReversed()) {
    try {
      await undo()
    } catch (why) {
      failed.push({ name, why })
    }
  }
  return failed
}
