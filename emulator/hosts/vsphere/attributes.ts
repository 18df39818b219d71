import { text, type Xml } from '../xml.js'
import { el, VimFault, words } from './message.js'
import type { Value } from './properties.js'

/** A custom attribute. */
interface Field {
  readonly key: number
  readonly name: string
  readonly type: string
}

/** The custom attributes of a vCenter (CustomFieldsManager), and their texts on its objects. */
export class Attributes {
  readonly #fields: Field[] = []
  readonly #values = new Map<string, Map<number, string>>()

  /** The texts of an object, by the keys of their attributes. */
  of(object: string): ReadonlyMap<number, string> {
    return this.#values.get(object) ?? new Map()
  }

  /** CustomFieldsManager.field. */
  definitions(): Value {
    return ['ArrayOfCustomFieldDef', this.#fields.map(field => fieldDef('CustomFieldDef', field)).join('')]
  }

  /** AddCustomFieldDef: of all who want a name, one gets it. */
  add(key: number, args: Xml): string {
    const name = text(args, 'name') ?? ''
    if (this.#fields.some(field => field.name === name)) {
      throw new VimFault('DuplicateName', `The name '${name}' already exists.`, el('name', words(name)))
    }
    const field = { key, name, type: text(args, 'moType') ?? '' }
    this.#fields.push(field)
    return fieldDef('returnval', field)
  }

  /** RemoveCustomFieldDef: its texts go with it. */
  remove(key: number): string {
    const place = this.#fields.findIndex(field => field.key === key)
    if (place < 0) throw new VimFault('NotFound', 'The specified key was not found.')
    this.#fields.splice(place, 1)
    for (const values of this.#values.values()) values.delete(key)
    return ''
  }

  /** SetField. */
  write(object: string, args: Xml): string {
    const key = Number(text(args, 'key'))
    if (!this.#fields.some(field => field.key === key)) {
      throw new VimFault('InvalidArgument', 'A specified parameter was not correct: key')
    }
    const values = this.#values.get(object) ?? new Map<number, string>()
    this.#values.set(object, values.set(key, text(args, 'value') ?? ''))
    return ''
  }
}

function fieldDef(name: string, { key, name: label, type }: Field): string {
  const parts = [
    el('key', key),
    el('name', words(label)),
    el('type', 'xsd:string'),
    el('managedObjectType', type),
  ]
  return el(name, parts.join(''))
}
