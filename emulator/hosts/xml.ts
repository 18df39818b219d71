import { SaxesParser } from 'saxes'

/** An element of a domain's XML. */
export interface Xml {
  readonly name: string
  readonly attributes: Record<string, string>
  children: (Xml | string)[]
}

/** A text that is no XML; the message is that of the parser. */
export class XmlMistake extends Error {}

/** Reads a document; blanks between elements are dropped. Throws XmlMistake. */
export function readXml(text: string): Xml {
  const parser = new SaxesParser()
  const root: Xml = { name: '', attributes: {}, children: [] }
  const open = [root]
  parser.on('opentag', ({ name, attributes }) => {
    const made: Xml = { name, attributes: { ...(attributes as Record<string, string>) }, children: [] }
    open.at(-1)?.children.push(made)
    open.push(made)
  })
  parser.on('closetag', () => open.pop())
  parser.on('text', piece => {
    if (piece.trim() !== '') open.at(-1)?.children.push(piece.trim())
  })
  parser.on('error', error => {
    throw new XmlMistake(error.message)
  })
  parser.write(text).close()
  const [first] = root.children
  if (first === undefined || typeof first === 'string') throw new XmlMistake('Document is empty')
  return first
}

/** Writes an element as libvirt does: two blanks a level, single quotes. */
export function writeXml(xml: Xml, indent = ''): string {
  const attributes = Object.entries(xml.attributes)
    .map(([key, value]) => ` ${key}='${escaped(value).replaceAll("'", '&apos;')}'`)
    .join('')
  const [first] = xml.children
  if (first === undefined) return `${indent}<${xml.name}${attributes}/>\n`
  if (typeof first === 'string') return `${indent}<${xml.name}${attributes}>${escaped(first)}</${xml.name}>\n`
  const inner = elements(xml).map(child => writeXml(child, `${indent}  `))
  return `${indent}<${xml.name}${attributes}>\n${inner.join('')}${indent}</${xml.name}>\n`
}

/** The child elements, of one name or all. */
export function elements(xml: Xml | undefined, name?: string): Xml[] {
  const all = xml?.children.filter(child => typeof child !== 'string') ?? []
  return name === undefined ? all : all.filter(child => child.name === name)
}

/** The element at the end of a path of names. */
export function at(xml: Xml | undefined, ...path: readonly string[]): Xml | undefined {
  return path.reduce<Xml | undefined>((here, name) => elements(here, name)[0], xml)
}

/** Its text; undefined where it is not there. */
export function text(xml: Xml | undefined, ...path: readonly string[]): string | undefined {
  const found = at(xml, ...path)?.children[0]
  return typeof found === 'string' ? found : undefined
}

/** An element of a text, of children or of nothing. */
export function make(
  name: string,
  attributes: Record<string, string> = {},
  children: string | readonly (Xml | undefined)[] = [],
): Xml {
  const kept = typeof children === 'string' ? [children] : children.filter(child => child !== undefined)
  return { name, attributes, children: [...kept] }
}

export function copyXml(xml: Xml): Xml {
  return structuredClone(xml)
}

function escaped(value: string): string {
  return value.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
