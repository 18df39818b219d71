import type { Bytes } from '../files/bytes.js'
import { ShellError } from './control.js'

/** A variable; never changed in place, so that subshells may share it. */
interface Variable {
  readonly value: Bytes | undefined
  readonly exported: boolean
  readonly readonly: boolean
}

const unset: Variable = { value: undefined, exported: false, readonly: false }

/** The variables of one shell, with the scopes that `local` opens. */
export class Variables {
  #variables = new Map<Bytes, Variable>()
  /** True while a subshell, or the shell it came from, reads the same map. */
  #shared = false
  readonly #scopes: Map<Bytes, Variable | undefined>[] = []
  /** `set -a`: whatever is assigned is exported. */
  exportAll = false

  get(name: Bytes): Bytes | undefined {
    return this.#variables.get(name)?.value
  }

  /** Assigns. Throws for a readonly variable. */
  set(name: Bytes, value: Bytes): void {
    const before = this.#variables.get(name) ?? unset
    if (before.readonly) throw new ShellError(`${name}: readonly variable`, 2)
    this.#put(name, { ...before, value, exported: before.exported || this.exportAll })
  }

  unset(name: Bytes): void {
    if (this.#variables.get(name)?.readonly) throw new ShellError(`${name}: readonly variable`, 2)
    this.#put(name, undefined)
  }

  mark(name: Bytes, mark: 'exported' | 'readonly', value = true): void {
    this.#put(name, { ...(this.#variables.get(name) ?? unset), [mark]: value })
  }

  /** Opens a scope: what `local` declares in it is undone when it closes. */
  openScope(): void {
    this.#scopes.push(new Map())
  }

  closeScope(): void {
    for (const [name, before] of this.#scopes.pop() ?? []) this.#put(name, before)
  }

  /** Declares a variable of the innermost scope; false outside any function. */
  local(name: Bytes): boolean {
    const scope = this.#scopes.at(-1)
    if (!scope) return false
    if (!scope.has(name)) {
      const before = this.#variables.get(name)
      scope.set(name, before)
      this.#put(name, { ...(before ?? unset), readonly: false })
    }
    return true
  }

  /** What a program that is started now finds in its environment. */
  environment(): Map<Bytes, Bytes> {
    const exported = new Map<Bytes, Bytes>()
    for (const [name, { value, exported: is }] of this.#variables) {
      if (is && value !== undefined) exported.set(name, value)
    }
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

  /** A copy for a subshell. Nothing is copied until one of the two changes. */
  fork(): Variables {
    const copy = new Variables()
    copy.#variables = this.#variables
    copy.#shared = true
    this.#shared = true
    for (const scope of this.#scopes) copy.#scopes.push(new Map(scope))
    copy.exportAll = this.exportAll
    return copy
  }

  /** Remembers variables, to put them back after a command that had assignments before its name. */
  save(names: readonly Bytes[]): () => void {
    const before = names.map(name => [name, this.#variables.get(name)] as const)
    return () => {
      for (const [name, variable] of before) this.#put(name, variable)
    }
  }

  #put(name: Bytes, variable: Variable | undefined): void {
    if (this.#shared) {
      this.#variables = new Map(this.#variables)
      this.#shared = false
    }
    if (variable) this.#variables.set(name, variable)
    else this.#variables.delete(name)
  }
}
