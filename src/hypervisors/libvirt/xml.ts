import { SaxesParser } from 'saxes'

/** An element of an XML document. Namespace prefixes are part of the names, as they were written. */
export interface XmlElement {
  name: string
  attributes: Record<string, string>
  children: (XmlElement | string)[]
}

/** Reads a document's root element. Comments are dropped. Throws when it is not well-formed or has a DOCTYPE. */
export function parseXml(text: string): XmlElement {
  const parser = new SaxesParser()
  const document: XmlElement = { name: '', attributes: {}, children: [] }
  const open: XmlElement[] = [document]
  const add = (child: XmlElement | string): void => {
    open.at(-1)?.children.push(child)
  }
  parser.on('error', error => {
    throw error
  })
  parser.on('doctype', () => {
    throw new Error('a DOCTYPE is not expected')
  })
  parser.on('opentag', ({ name, attributes }) => {
    const element: XmlElement = { name, attributes: { ...attributes }, children: [] }
    add(element)
    open.push(element)
  })
  parser.on('closetag', () => {
    open.pop()
  })
  parser.on('text', piece => add(piece))
  parser.on('cdata', piece => add(piece))
  parser.write(text).close()
  const root = document.children.find(child => typeof child !== 'string')
  if (root === undefined) {
    throw new Error('there is no element')
  }
  return root
}

/** Writes an element so that {@link parseXml} reads the same back. */
export function writeXml({ name, attributes, children }: XmlElement): string {
  const written = Object.entries(attributes).map(([key, value]) => ` ${key}='${escapedValue(value)}'`)
  const inner = children.map(child => (typeof child === 'string' ? escapedText(child) : writeXml(child)))
  return children.length === 0
    ? `<${name}${written.join('')}/>`
    : `<${name}${written.join('')}>${inner.join('')}</${name}>`
}

/** Makes an element. */
export function element(
  name: string,
  attributes: Record<string, string> = {},
  children: (XmlElement | string)[] = [],
): XmlElement {
  return { name, attributes, children }
}

/** The child elements of that name, or all of them. */
export function childrenOf(parent: XmlElement | undefined, name?: string): XmlElement[] {
  const elements = parent?.children.filter(child => typeof child !== 'string') ?? []
  return name === undefined ? elements : elements.filter(child => child.name === name)
}

/** The first element at the end of a path of names. */
export function find(parent: XmlElement | undefined, ...path: readonly string[]): XmlElement | undefined {
  return path.reduce<XmlElement | undefined>((at, name) => childrenOf(at, name)[0], parent)
}

/** The text of the first element at the end of a path; `undefined` when there is none. */
export function textAt(parent: XmlElement | undefined, ...path: readonly string[]): string | undefined {
  const found = find(parent, ...path)
  return found?.children
    .filter(child => typeof child === 'string')
    .join('')
    .trim()
}

/** Puts a text into the first child of that name, which is made if it is not there. */
export function setText(parent: XmlElement, name: string, text: string): void {
  const found = find(parent, name)
  if (found === undefined) {
    parent.children.push(element(name, {}, [text]))
  } else {
    found.children = [text]
  }
}

/** Takes the children of that name away. */
export function removeChildren(parent: XmlElement, name: string): void {
  parent.children = parent.children.filter(child => typeof child === 'string' || child.name !== name)
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  "'": '&apos;',
  '\t': '&#9;',
  '\n': '&#10;',
  '\r': '&#13;',
}

function escapedText(text: string): string {
  return text.replace(/[&<>\r]/g, character => entities[character] ?? character)
}

/** White space in attributes would be read back as blanks. */
function escapedValue(text: string): string {
  return text.replace(/[&<>'\t\n\r]/g, character => entities[character] ?? character)
}
