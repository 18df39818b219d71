import type { Environment } from '../system/environment.js'
import { toNumber } from './convert.js'
import { fail } from './errors.js'
import type { Frame, PowerShell } from './runtime.js'
import { textOf, typeNameOf } from './text.js'
import { isArray, itemsOf, NetObject, PsChar, PsHash, PsObject, TypeRef, type Value } from './values.js'

/** The variables of the process. */
export function environmentOf(shell: PowerShell): Environment {
  return shell.call.env
}

/** `target[index]`: of lists, texts, hashtables. */
export function indexOf(target: Value, index: Value): Value {
  if (target === null)
    throw fail({ message: 'Cannot index into a null array.', id: 'NullArray', category: 'InvalidOperation' })
  if (isArray(index)) return itemsOf(index).map(it => indexOf(target, it))
  if (target instanceof PsHash) return target.get(index)
  if (target instanceof PsObject) return target.get(textOf(index)) ?? null
  if (typeof target === 'string') {
    const at = position(index, target.length)
    return at < target.length && at >= 0 ? new PsChar(target[at] ?? '') : null
  }
  if (isArray(target) || (target instanceof NetObject && Array.isArray(target.inner))) {
    const items = itemsOf(target)
    return items[position(index, items.length)] ?? null
  }
  if (target instanceof NetObject) {
    const item = target.methods.item
    const found = item?.([index])
    if (found !== undefined && !(found instanceof Promise)) return found
  }
  throw fail({
    message: `Unable to index into an object of type ${typeNameOf(target)}.`,
    id: 'CannotIndex',
    category: 'InvalidOperation',
  })
}

function position(index: Value, length: number): number {
  const at = toNumber(index)
  return at < 0 ? length + at : at
}

export function setIndex(target: Value, index: Value, value: Value): void {
  if (target instanceof PsHash) {
    target.set(index, value)
    return
  }
  if (Array.isArray(target)) {
    const items = target as Value[]
    const at = position(index, items.length)
    if (at < 0 || at >= items.length)
      throw fail({
        message: 'Index was outside the bounds of the array.',
        type: 'System.IndexOutOfRangeException',
        id: 'System.IndexOutOfRangeException',
        category: 'OperationStopped',
      })
    items[at] = value
    return
  }
  throw fail({
    message: `Unable to index into an object of type ${typeNameOf(target)}.`,
    id: 'CannotIndex',
    category: 'InvalidOperation',
  })
}

/** Sets a property. Throws PsError where there is none that could be set. */
export function setMember(target: Value, name: string, value: Value, frame: Frame): void {
  if (target instanceof TypeRef && frame.shell.setStatic(target.name, name.toLowerCase(), value, frame))
    return
  if (target instanceof PsHash) {
    target.set(name, value)
    return
  }
  if (target instanceof PsObject && target.get(name) !== undefined) {
    target.set(name, value)
    return
  }
  if (target instanceof NetObject) {
    const set = target.set[name.toLowerCase()]
    if (set) {
      set(value)
      return
    }
  }
  throw fail({
    message: `The property '${name}' cannot be found on this object. Verify that the property exists and can be set.`,
    id: 'PropertyAssignmentException',
    category: 'InvalidOperation',
  })
}
