import { readObject } from './api/properties.js'
import { childrenOf, type find, numberAt, type Reference, textAt } from './soap/element.js'
import { isFault } from './soap/fault.js'
import type { CallOptions, Session } from './soap/session.js'
import { reference, tag } from './soap/write.js'

/** A custom attribute of a vCenter: a name, and a text for each object that has it. */
export interface Attribute {
  readonly key: number
  readonly name: string
}

/** Every custom attribute that there is; `null` where the server has none, as an ESXi host by itself. */
export async function listAttributes(
  session: Session,
  options: CallOptions,
): Promise<readonly Attribute[] | null> {
  const self = (await session.content(options)).manager('customFieldsManager')
  if (self === undefined) {
    return null
  }
  const read = await readObject(session, self, ['field'], options)
  return childrenOf(read?.at('field'), 'CustomFieldDef').map(each => ({
    key: numberAt(each, 'key') ?? 0,
    name: textAt(each, 'name') ?? '',
  }))
}

/** Makes an attribute for objects of a type; `null` when one of that name is there: of all who try, one makes it. */
export async function makeAttribute(
  session: Session,
  name: string,
  type: string,
  options: CallOptions,
): Promise<Attribute | null> {
  const self = await managerOf(session, options)
  const args = [tag('name', name), tag('moType', type)]
  try {
    const made = await session.call({ self, method: 'AddCustomFieldDef', args, changes: true }, options)
    return { key: numberAt(made, 'key') ?? 0, name }
  } catch (error) {
    if (isFault(error, 'DuplicateName')) {
      return null
    }
    throw error
  }
}

/** Removes an attribute from all objects; one that is gone does no harm. */
export async function removeAttribute(
  session: Session,
  { key }: Attribute,
  options: CallOptions,
): Promise<void> {
  const self = await managerOf(session, options)
  const call = { self, method: 'RemoveCustomFieldDef', args: [tag('key', key)], changes: true }
  await session.call(call, options).catch((error: unknown) => {
    if (!isFault(error, 'NotFound')) {
      throw error
    }
  })
}

/** Gives an object a text. */
export async function writeAttribute(
  session: Session,
  entity: Reference,
  { key }: Attribute,
  text: string,
  options: CallOptions,
): Promise<void> {
  const self = await managerOf(session, options)
  const args = [reference('entity', entity), tag('key', key), tag('value', text)]
  await session.call({ self, method: 'SetField', args, changes: true }, options)
}

/** The texts of an object, by the keys of their attributes. */
export async function readAttributes(
  session: Session,
  entity: Reference,
  options: CallOptions,
): Promise<ReadonlyMap<number, string>> {
  const read = await readObject(session, entity, ['customValue'], options)
  return textsIn(read?.at('customValue'))
}

/** The texts in a property `customValue`. */
export function textsIn(values: Parameters<typeof find>[0]): ReadonlyMap<number, string> {
  return new Map(
    childrenOf(values, 'CustomFieldValue').map(each => [
      numberAt(each, 'key') ?? 0,
      textAt(each, 'value') ?? '',
    ]),
  )
}

async function managerOf(session: Session, options: CallOptions): Promise<Reference> {
  const self = (await session.content(options)).manager('customFieldsManager')
  return self ?? { type: 'CustomFieldsManager', value: 'CustomFieldsManager' }
}
