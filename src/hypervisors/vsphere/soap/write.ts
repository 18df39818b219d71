import type { Element, Reference } from './element.js'

/** A piece of a message, escaped and well-formed. */
export interface Written {
  readonly xml: string
}

/** What stands in an element. */
export type Content = string | number | boolean | readonly Written[]

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  '\r': '&#13;',
}

/** An element; `type` is what `xsi:type` shall say, for values of a type that the schema does not imply. */
export function tag(name: string, content: Content = [], type?: string): Written {
  const inner =
    typeof content === 'object' ? content.map(({ xml }) => xml).join('') : escaped(String(content))
  return { xml: `<${name}${type === undefined ? '' : ` xsi:type="${escaped(type)}"`}>${inner}</${name}>` }
}

/** An element that refers to a managed object. */
export function reference(name: string, { type, value }: Reference): Written {
  return { xml: `<${name} type="${escaped(type)}">${escaped(value)}</${name}>` }
}

/** The same, where there is something to refer to. */
export function optionalReference(name: string, to: Reference | undefined): readonly Written[] {
  return to === undefined ? [] : [reference(name, to)]
}

/** What the server said, to be sent back as it was. */
export function again({ name, type, refersTo, children, text }: Element): Written {
  if (refersTo !== null) {
    return reference(name, { type: refersTo, value: text.trim() })
  }
  return tag(name, children.length > 0 ? children.map(again) : text, type ?? undefined)
}

/** A call of a method as a SOAP 1.1 message. */
export function envelope(method: string, self: Reference, args: readonly Written[]): string {
  const body = [reference('_this', self), ...args].map(({ xml }) => xml).join('')
  return [
    '<?xml version="1.0" encoding="UTF-8"?>\n',
    '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"',
    ' xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">',
    `<soapenv:Body><${method} xmlns="urn:vim25">${body}</${method}></soapenv:Body></soapenv:Envelope>`,
  ].join('')
}

function escaped(text: string): string {
  return text.replace(/[&<>"\r]/g, character => entities[character] ?? character)
}
