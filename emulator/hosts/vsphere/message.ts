import { elements, readXml, text, type Xml } from '../xml.js'

/** A call of a method as a client sends it. */
export interface Call {
  readonly method: string
  /** The object that is called: `VirtualMachine` and `vm-1`. */
  readonly type: string
  readonly self: string
  readonly args: Xml
}

/** What a server answers to a call that it does not carry out: a type of the API's reference, and its text. */
export class VimFault extends Error {
  readonly type: string
  readonly detail: string

  constructor(type: string, message: string, detail = '') {
    super(message)
    this.type = type
    this.detail = detail
  }
}

/** Reads a message; undefined where it is no call. */
export function readCall(message: string): Call | undefined {
  const body = elements(readXml(message)).find(({ name }) => /(^|:)Body$/.test(name))
  const call = elements(body)[0]
  const self = elements(call, '_this')[0]
  return call === undefined || self === undefined
    ? undefined
    : { method: call.name, type: self.attributes.type ?? '', self: textOf(self), args: call }
}

export function textOf(xml: Xml | undefined): string {
  const [first] = xml?.children ?? []
  return typeof first === 'string' ? first : ''
}

/** A flag of a call; false where it is left out. */
export function flag(xml: Xml | undefined, ...path: readonly string[]): boolean {
  return text(xml, ...path) === 'true'
}

/** An element of an answer. */
export function el(name: string, content: string | number | boolean, type?: string): string {
  const inner = typeof content === 'string' ? content : String(content)
  return `<${name}${type === undefined ? '' : ` xsi:type="${type}"`}>${inner}</${name}>`
}

/** A text, escaped. */
export function words(text: string): string {
  return text.replace(/[&<>]/g, character => `&#${character.charCodeAt(0)};`)
}

/** An element that refers to an object. */
export function ref(name: string, type: string, value: string): string {
  return `<${name} type="${type}">${words(value)}</${name}>`
}

export function response(method: string, returned: string): string {
  return enveloped(`<${method}Response xmlns="urn:vim25">${returned}</${method}Response>`)
}

export function faultResponse({ type, message, detail }: VimFault): string {
  const inside = `<${type}Fault xmlns="urn:vim25" xsi:type="${type}">${detail}</${type}Fault>`
  return enveloped(
    `<soapenv:Fault><faultcode>ServerFaultCode</faultcode><faultstring>${words(message)}</faultstring><detail>${inside}</detail></soapenv:Fault>`,
  )
}

function enveloped(body: string): string {
  return [
    '<?xml version="1.0" encoding="UTF-8"?>\n',
    '<soapenv:Envelope xmlns:soapenc="http://schemas.xmlsoap.org/soap/encoding/"',
    ' xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns:xsd="http://www.w3.org/2001/XMLSchema"',
    ` xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">\n<soapenv:Body>\n${body}\n</soapenv:Body>\n</soapenv:Envelope>`,
  ].join('')
}
