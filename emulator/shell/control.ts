/** `break` and `continue`, on their way to the loop that they mean. */
export class LoopJump extends Error {
  readonly kind: 'break' | 'continue'
  levels: number

  constructor(kind: 'break' | 'continue', levels: number) {
    super(kind)
    this.kind = kind
    this.levels = levels
  }
}

/** `return`, on its way to the function or the sourced file. */
export class Return extends Error {
  readonly status: number

  constructor(status: number) {
    super('return')
    this.status = status
  }
}

/** `exit`, on its way to the end of the shell. */
export class Exit extends Error {
  readonly status: number
  /** False after `exec`: the shell is gone, and its EXIT trap with it. */
  readonly runTrap: boolean

  constructor(status: number, runTrap = true) {
    super('exit')
    this.status = status
    this.runTrap = runTrap
  }
}

/** An error that ends a shell that is not interactive, e.g. an expansion that fails. */
export class ShellError extends Error {
  readonly status: number

  constructor(message: string, status: number) {
    super(message)
    this.status = status
  }
}
