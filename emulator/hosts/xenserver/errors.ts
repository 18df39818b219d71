/**
 * What xe says of what it cannot do, on standard error, with status 1: the documentation sentence of the error and its
 * parameters, a line each (xapi's cli_util.ml and idl/datamodel_errors.ml).
 */
export class XeError extends Error {}

/** A machine in another state than the verb is for. States are in lower case, as xe has them. */
export function badPowerState(vm: Named, expected: string, actual: string): XeError {
  return new XeError(
    [
      "You attempted an operation on a VM that was not in an appropriate power state at the time; for example, you attempted to start a VM that was already running.  The parameters returned are the VM's handle, and the expected and actual VM state at the time of the call.",
      `vm: ${reference(vm)}`,
      `expected: ${expected}`,
      `actual: ${actual}`,
    ].join('\n'),
  )
}

export function uuidInvalid(type: string, uuid: string): XeError {
  return new XeError(`The uuid you supplied was invalid.\ntype: ${type}\nuuid: ${uuid}`)
}

/** A guest that did not heed the request: VM_FAILED_SHUTDOWN_ACK. */
export function notAcknowledged(vm: Named): XeError {
  return new XeError(`VM didn't acknowledge the need to shutdown.\nvm: ${reference(vm)}`)
}

/** A guest whose tools have not been seen, as while it boots: VM_LACKS_FEATURE. */
export function lacksFeature(vm: Named): XeError {
  return new XeError(`You attempted an operation on a VM which lacks the feature.\nvm: ${reference(vm)}`)
}

export function srFull(requested: number): XeError {
  return new XeError(
    `The SR is full. Requested new size exceeds the maximum size\nrequested: ${requested}\nmaximum: 0`,
  )
}

export function notEnoughMemory(needed: number, available: number): XeError {
  return new XeError(
    `Not enough server memory is available to perform this operation.\nneeded: ${needed}\navailable: ${available}`,
  )
}

export function detachRejected(type: string, uuid: string): XeError {
  return new XeError(`The VM rejected the attempt to detach the device.\ntype: ${type}\nref: ${uuid}\nmsg: `)
}

/** A device that is not plugged in: DEVICE_ALREADY_DETACHED. */
export function alreadyDetached(uuid: string): XeError {
  return new XeError(`The device is not currently attached\ndevice: ${uuid}`)
}

export function missingParameter(name: string): XeError {
  return new XeError(`Required parameter not found: ${name}\nFor usage run: 'xe help'`)
}

export interface Named {
  readonly uuid: string
  readonly name: string
}

/** References are shown as `uuid (name)`. */
export function reference({ uuid, name }: Named): string {
  return `${uuid} (${name})`
}
