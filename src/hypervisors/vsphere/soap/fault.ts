import { InfraError } from '../../../config/errors.js'
import { childrenOf, type Element, find, textAt } from './element.js'

/** What the server answers to a call that it does not carry out, at once or at the end of a task. */
export class VimFault extends InfraError {
  /** The fault's type in the API's reference: `InvalidPowerState`, `NotAuthenticated`, … */
  readonly fault: string
  readonly detail: Element | undefined

  constructor(where: string, method: string, { fault, message, detail }: FaultParts) {
    super(`${where}: ${method}: ${message} (${fault})`, {
      cause: 'host',
      where,
      code: fault === 'InvalidLogin' ? 'authentication' : 'command',
    })
    this.fault = fault
    this.detail = detail
  }
}

interface FaultParts {
  readonly fault: string
  readonly message: string
  readonly detail: Element | undefined
}

/** Whether an error is a fault of one of these types. */
export function isFault(error: unknown, ...types: readonly string[]): error is VimFault {
  return error instanceof VimFault && types.includes(error.fault)
}

/** Reads a SOAP fault; `null` when the message is none. */
export function readSoapFault(body: Element | undefined): FaultParts | null {
  const fault = find(body, 'Fault')
  if (fault === undefined) {
    return null
  }
  const detail = find(fault, 'detail')?.children[0]
  // What is not a fault of the API, such as a message that cannot be read, has no detail.
  const type = detail?.type ?? detail?.name.replace(/Fault$/, '') ?? textAt(fault, 'faultcode') ?? 'Fault'
  return { fault: type, message: oneLine(textAt(fault, 'faultstring')) || 'refused', detail }
}

/** Reads a `LocalizedMethodFault`: the error of a task, or a property that could not be read. */
export function readLocalizedFault(error: Element): FaultParts {
  const detail = find(error, 'fault')
  const causes = childrenOf(detail, 'faultMessage').map(each => textAt(each, 'message') ?? '')
  const message = [textAt(error, 'localizedMessage') ?? '', ...causes]
    .map(oneLine)
    .filter(text => text !== '')
  return { fault: detail?.type ?? 'Fault', message: message.join('; ') || 'failed', detail }
}

const longestMessage = 500

function oneLine(text = ''): string {
  return text.trim().replace(/\s+/g, ' ').slice(0, longestMessage)
}
