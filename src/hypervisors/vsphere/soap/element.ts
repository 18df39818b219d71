import { SaxesParser } from 'saxes'

/** An element of a message: names are local names, whatever prefixes the peer chose. */
export interface Element {
  readonly name: string
  /** What `xsi:type` says, without its prefix. */
  readonly type: string | null
  /** The attribute `type` of a reference to a managed object. */
  readonly refersTo: string | null
  readonly children: readonly Element[]
  /** The text directly in it. */
  readonly text: string
}

/** A managed object on the server: `VirtualMachine` and `vm-42`. */
export interface Reference {
  readonly type: string
  readonly value: string
}

interface Open {
  name: string
  type: string | null
  refersTo: string | null
  children: Open[]
  text: string
}

const schemaInstance = 'http://www.w3.org/2001/XMLSchema-instance'

/** Reads a message's root element. Throws when it is not well-formed or has a DOCTYPE. */
export function parseMessage(text: string): Element {
  const parser = new SaxesParser({ xmlns: true })
  const document: Open = { name: '', type: null, refersTo: null, children: [], text: '' }
  const open = [document]
  parser.on('error', error => {
    throw error
  })
  parser.on('doctype', () => {
    throw new Error('a DOCTYPE is not expected')
  })
  parser.on('opentag', ({ local, attributes }) => {
    const element: Open = { name: local, type: null, refersTo: null, children: [], text: '' }
    for (const attribute of Object.values(attributes)) {
      if (attribute.local === 'type' && attribute.uri === schemaInstance) {
        element.type = attribute.value.replace(/^.*:/, '')
      } else if (attribute.local === 'type' && attribute.uri === '') {
        element.refersTo = attribute.value
      }
    }
    open.at(-1)?.children.push(element)
    open.push(element)
  })
  parser.on('closetag', () => {
    open.pop()
  })
  const add = (piece: string): void => {
    const last = open.at(-1)
    if (last !== undefined) {
      last.text += piece
    }
  }
  parser.on('text', add)
  parser.on('cdata', add)
  parser.write(text).close()
  const [root] = document.children
  if (root === undefined) {
    throw new Error('there is no element')
  }
  return root
}

/** The child elements of that name. */
export function childrenOf(parent: Element | undefined, name: string): readonly Element[] {
  return parent?.children.filter(child => child.name === name) ?? []
}

/** The first element at the end of a path of names. */
export function find(parent: Element | undefined, ...path: readonly string[]): Element | undefined {
  return path.reduce<Element | undefined>((at, name) => childrenOf(at, name)[0], parent)
}

/** The text at the end of a path; `undefined` where there is none. */
export function textAt(parent: Element | undefined, ...path: readonly string[]): string | undefined {
  return find(parent, ...path)?.text.trim()
}

/** The number at the end of a path; `undefined` where there is none. */
export function numberAt(parent: Element | undefined, ...path: readonly string[]): number | undefined {
  const text = textAt(parent, ...path)
  const number = Number(text)
  return text === undefined || text === '' || Number.isNaN(number) ? undefined : number
}

/** What an element refers to; `undefined` where it is not a reference. */
export function referenceOf(element: Element | undefined): Reference | undefined {
  const { refersTo, text = '' } = element ?? {}
  return refersTo === undefined || refersTo === null ? undefined : { type: refersTo, value: text.trim() }
}

/** Whether both are the same managed object. */
export function isSame(one: Reference | undefined, other: Reference | undefined): boolean {
  return one !== undefined && one.type === other?.type && one.value === other.value
}
