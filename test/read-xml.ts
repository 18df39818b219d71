import { SaxesParser } from 'saxes'

/** One element of a parsed document. */
export interface ReadElement {
  readonly name: string
  readonly attributes: Readonly<Record<string, string>>
  readonly children: ReadElement[]
  text: string
  /** How many CDATA sections it holds itself. */
  cdata: number
}

/** Parses XML strictly; throws at the first fault. */
export function readXml(text: string): ReadElement {
  const root: ReadElement = { name: '', attributes: {}, children: [], text: '', cdata: 0 }
  const path = [root]
  const parser = new SaxesParser()
  parser.on('error', error => {
    throw error
  })
  parser.on('opentag', ({ name, attributes }) => {
    const element: ReadElement = {
      name,
      attributes: attributes as Record<string, string>,
      children: [],
      text: '',
      cdata: 0,
    }
    path.at(-1)?.children.push(element)
    path.push(element)
  })
  parser.on('closetag', () => {
    path.pop()
  })
  parser.on('text', piece => {
    const element = path.at(-1)
    if (element !== undefined) element.text += piece
  })
  parser.on('cdata', piece => {
    const element = path.at(-1)
    if (element !== undefined) {
      element.text += piece
      element.cdata += 1
    }
  })
  parser.write(text).close()
  const [document] = root.children
  if (document === undefined) throw new Error('the document is empty')
  return document
}

/** All elements of a name, in document order. */
export function elements(from: ReadElement, name: string): ReadElement[] {
  return from.children.flatMap(child => [...(child.name === name ? [child] : []), ...elements(child, name)])
}
