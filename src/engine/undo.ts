import { withDeadline } from '../deadline/deadline.js'

interface Step {
  readonly name: string
  readonly undo: (signal: AbortSignal) => Promise<void>
}

/** The undoing of a guest that a test left switched off. */
export const powerOnStep = 'power on'

/** What became of the undoing. */
export interface Undone {
  /** The steps that were undone, in the order in which it happened. */
  readonly names: readonly string[]
  /** What could not be undone, and why; `null` when nothing is left. */
  readonly left: string | null
}

/**
 * The undoing of every step that was started, in reverse. Each has a budget of its own, so that one
 * that hangs keeps none of the others from its turn.
 */
export class UndoStack {
  readonly #steps: Step[] = []

  push(name: string, undo: Step['undo']): void {
    this.#steps.push({ name, undo })
  }

  /** Remembers once, under its name, how something is undone that a test may undo itself; nothing where it cannot be. */
  unlessUndone(name: string, undo: ((signal: AbortSignal) => Promise<unknown>) | undefined): void {
    if (undo !== undefined && !this.#steps.some(step => step.name === name)) {
      this.push(name, async signal => void (await undo(signal)))
    }
  }

  /** Leaves these steps as they are: what they would undo is no longer ours to touch. */
  forget(names: readonly string[]): void {
    const left = this.#steps.filter(({ name }) => !names.includes(name))
    this.#steps.splice(0, this.#steps.length, ...left)
  }

  /** Undoes everything once; never throws. `budgetMs` is for each step. */
  async undoAll(budgetMs: number): Promise<Undone> {
    const names: string[] = []
    const left: string[] = []
    for (let step = this.#steps.pop(); step !== undefined; step = this.#steps.pop()) {
      const { name, undo } = step
      try {
        await withDeadline({ name: 'undo', ms: budgetMs, where: name }, undo)
        names.push(name)
      } catch (error) {
        left.push(`${name}: ${error instanceof Error ? error.message : String(error)}`)
      }
    }
    return { names, left: left.length === 0 ? null : left.join('; ') }
  }
}
