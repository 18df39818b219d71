import type { Call } from '../system/context.js'
import type { Expression } from './parse/ast.js'
import type { NetObject, ScriptBlock, Value } from './values.js'

/** Variables and functions of one scope. Names are found in any case. */
export class Scope {
  readonly variables = new Map<string, Value>()
  readonly functions = new Map<string, ScriptBlock>()
  readonly parent: Scope | undefined

  constructor(parent: Scope | undefined) {
    this.parent = parent
  }

  find(name: string): Scope | undefined {
    let scope: Scope | undefined = this
    const key = name.toLowerCase()
    while (scope && !scope.variables.has(key)) scope = scope.parent
    return scope
  }

  get(name: string): Value {
    return this.find(name)?.variables.get(name.toLowerCase()) ?? null
  }

  set(name: string, value: Value): void {
    this.variables.set(name.toLowerCase(), value)
  }

  get root(): Scope {
    let scope: Scope = this
    while (scope.parent) scope = scope.parent
    return scope
  }

  findFunction(name: string): ScriptBlock | undefined {
    let scope: Scope | undefined = this
    while (scope) {
      const found = scope.functions.get(name.toLowerCase())
      if (found) return found
      scope = scope.parent
    }
    return undefined
  }
}

/** Where what a script gives goes. */
export type Emit = (value: Value) => Promise<void> | void

/** What a part of a script runs in. */
export interface Frame {
  readonly shell: PowerShell
  readonly scope: Scope
  readonly emit: Emit
  /** Takes error records that end nothing; undefined drops them. */
  readonly errors: (record: NetObject) => Promise<void>
  /** Whether a `try` stands around it. */
  readonly guarded: boolean
}

/** One runspace of powershell.exe. */
export interface PowerShell {
  readonly call: Call
  /** 2 to 5. */
  readonly major: number
  readonly global: Scope
  /** How many commands have failed: `$?` is told by it. */
  failures: number
  /** The name of a cmdlet that this version has, in its own spelling. */
  cmdletNamed(name: string): string | undefined
  /** Runs a script block with arguments and input; what it gives is emitted. */
  run(block: ScriptBlock, args: readonly Value[], frame: Frame, options?: RunOptions): Promise<void>
  /** The value of an expression. */
  evaluate(expression: Expression, frame: Frame): Promise<Value>
  /** Runs text as Invoke-Expression does, in the scope of the frame. */
  runText(text: string, frame: Frame): Promise<void>
  blockOf(text: string): ScriptBlock
  newObject(type: string, args: readonly Value[], frame: Frame): Value
  /** Sets a static property; false where it cannot be set. */
  setStatic(type: string, name: string, value: Value, frame: Frame): boolean
  /** A line of standard input; null at its end. */
  readLine(): Promise<Value>
  readRest(): Promise<Value>
  /** Makes another runspace in the same process. */
  another(): PowerShell
  /** What the host prints for a value. */
  show(value: Value): Promise<void>
  showError(record: NetObject): Promise<void>
  offsetMinutes(ms: number): number
  /** The program that cmdlets wait in: everything ends with it. */
  member(target: Value, name: string, frame: Frame): Value
  /** A static property; undefined where the type has none of that name. */
  staticMember(type: string, name: string, frame: Frame): Value | undefined
  staticMethod(type: string, name: string, args: readonly Value[], frame: Frame): Promise<Value | undefined>
  invoke(target: Value, name: string, args: readonly Value[], frame: Frame): Promise<Value>
}

export interface RunOptions {
  /** Values of `$input` and, one by one, `$_`. */
  readonly input?: readonly Value[]
  /** Sets `$_` for the whole run. */
  readonly item?: Value
  /** Runs in the caller's scope, as `.` does and as ForEach-Object runs its block. */
  readonly sameScope?: boolean
  readonly named?: ReadonlyMap<string, Value>
}

/** Runs a block and keeps what it gives. */
export async function collect(
  shell: PowerShell,
  block: ScriptBlock,
  args: readonly Value[],
  frame: Frame,
  options?: RunOptions,
): Promise<Value[]> {
  const found: Value[] = []
  await shell.run(block, args, { ...frame, emit: value => void found.push(value) }, options)
  return found
}
