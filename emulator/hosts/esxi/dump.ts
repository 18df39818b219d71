/** A value of a dump: a text, a number, a word such as `<unset>`, a record, or an array. */
export type Value = string | number | boolean | Word | DumpRecord | DumpArray

/** What is written without quotes. */
export interface Word {
  readonly word: string
}

/** A record: its type, and its fields in their order. */
export interface DumpRecord {
  readonly type: string
  readonly fields: Readonly<Record<string, Value>>
}

export interface DumpArray {
  readonly type: string
  readonly items: readonly Value[]
}

export const unset: Word = { word: '<unset>' }

export function nothing(type: string): Word {
  return { word: `(${type}) null` }
}

/**
 * An object as vim-cmd prints it. Up to 6.0 each record begins with `dynamicType`, and its last field has a comma too
 * (logs of VCL for ESX 4 to 6.0, of JKL for 7 and 8).
 */
export function dumpText(value: Value, isOld: boolean, indent = ''): string {
  if (typeof value === 'string') return `"${value}"`
  if (typeof value !== 'object') return String(value)
  if ('word' in value) return value.word
  const inner = `${indent}   `
  if ('items' in value) {
    if (value.items.length === 0) return `(${value.type}) []`
    const items = value.items.map(item => `${inner}${dumpText(item, isOld, inner)}`)
    return `(${value.type}) [\n${items.join(',\n')}${isOld ? ',' : ''}\n${indent}]`
  }
  const fields = Object.entries({ ...(isOld ? { dynamicType: unset } : {}), ...value.fields })
  const lines = fields.map(([name, field], index) => {
    const comma = isOld || index < fields.length - 1 ? ',' : ''
    return `${inner}${name} = ${dumpText(field, isOld, inner)}${comma}\n`
  })
  return `(${value.type}) {\n${lines.join('')}${indent}}`
}

/** What vim-cmd prints on its standard output when it fails. Its exit status depends on verb and version. */
export class VimFault extends Error {
  readonly type: string
  readonly fields: Readonly<Record<string, Value>>

  constructor(type: string, message: string, fields: Readonly<Record<string, Value>> = {}) {
    super(message)
    this.type = type
    this.fields = fields
  }

  record(): DumpRecord {
    const { type, fields, message } = this
    const cause = { faultCause: nothing('vmodl.MethodFault'), faultMessage: unset }
    return { type, fields: { ...cause, ...fields, msg: message } }
  }
}
