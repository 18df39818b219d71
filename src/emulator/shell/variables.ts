import type { Bytes } from '../files/bytes.js'
import { ShellError } from './control.js'

interface Variable {
  value: Bytes | undefined
  exported: boolean
  readonly: boolean
}

/** The variables of one shell, with the scopes that `local` opens. */
export class Variables {
  readonly #variables = new Map<Bytes, Variable>()
  readonly #scopes: Map<Bytes, Variable | undefined>[] = []
  /** `set -a`: whatever is assigned is exported. */
  exportAll = false

  get(name: Bytes): Bytes | undefined {
    return this.#variables.get(name)?.value
  }

  /** Assigns. Throws for a readonly variable. */
  set(name: Bytes, value: Bytes): void {
    const variable = this.#variables.get(name)
    if (variable?.readonly) throw new ShellError(`${name}: readonly variable`, 2)
    if (variable) {
      variable.value = value
      if (this.exportAll) variable.exported = true
    } else this.#variables.set(name, { value, exported: this.exportAll, readonly: false })
  }

  unset(name: Bytes): void {
    if (this.#variables.get(name)?.readonly) throw new ShellError(`${name}: readonly variable`, 2)
    this.#variables.delete(name)
  }

  mark(name: Bytes, mark: 'exported' | 'readonly', value = true): void {
    const variable = this.#variables.get(name) ?? { value: undefined, exported: false, readonly: false }
    variable[mark] = value
    this.#variables.set(name, variable)
  }

  /** Opens a scope: what `local` declares in it is undone when it closes. */
  openScope(): void {
    this.#scopes.push(new Map())
  }

  closeScope(): void {
    for (const [name, before] of this.#scopes.pop() ?? []) {
      if (before) this.#variables.set(name, before)
      else this.#variables.delete(name)
    }
  }

  /** Declares a variable of the innermost scope; false outside any function. */
  local(name: Bytes): boolean {
    const scope = this.#scopes.at(-1)
    if (!scope) return false
    if (!scope.has(name)) {
      const before = this.#variables.get(name)
      scope.set(name, before)
      this.#variables.set(name, {
        value: before?.value,
        exported: before?.exported ?? false,
        readonly: false,
      })
    }
    return true
  }

  /** What a program that is started now finds in its environment. */
  environment(): Map<Bytes, Bytes> {
    const exported = new Map<Bytes, Bytes>()
    for (const [name, { value, exported: is }] of this.#variables)
      if (is && value !== undefined) exported.set(name, value)
    return exported
  }

  /** Names with a mark, or all that have a value, sorted. */
  names(mark?: 'exported' | 'readonly'): Bytes[] {
    const names: Bytes[] = []
    for (const [name, variable] of this.#variables) {
      if (mark ? variable[mark] : variable.value !== undefined) names.push(name)
    }
    return names.sort()
  }

  /** A copy for a subshell. */
  fork(): Variables {
    const copy = new Variables()
    for (const [name, variable] of this.#variables) copy.#variables.set(name, { ...variable })
    for (const scope of this.#scopes) copy.#scopes.push(new Map(scope))
    copy.exportAll = this.exportAll
    return copy
  }

  /** Remembers variables, to put them back after a command that had assignments before its name. */
  save(names: readonly Bytes[]): () => void {
    const before = names.map(name => [name, this.#variables.get(name)] as const)
    for (const [name, variable] of before) if (variable) this.#variables.set(name, { ...variable })
    return () => {
      for (const [name, variable] of before) {
        if (variable) this.#variables.set(name, variable)
        else this.#variables.delete(name)
      }
    }
  }
}
