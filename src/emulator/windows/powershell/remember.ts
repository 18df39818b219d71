import type { Scope } from './runtime.js'
import { NetObject, type Value } from './values.js'

/** Puts an error first in `$Error`. */
export function remember(scope: Scope, record: NetObject): void {
  const list = scope.root.get('Error')
  const held = list instanceof NetObject && Array.isArray(list.inner) ? (list.inner as Value[]) : undefined
  if (held && held[0] !== record) held.unshift(record)
}
