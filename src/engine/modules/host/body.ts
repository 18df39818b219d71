import { deserialize } from 'node:v8'
import { createExpect } from '../../../api/expect.js'
import { isTestModule, type TestContext } from '../../../api/test.js'
import type { TestParameters } from '../../../config/parameters.js'
import type { Reply, Start } from '../wire.js'
import { decodeError, encodeError } from '../wire-error.js'
import { Calls } from './calls.js'
import { frameWriter } from './frames.js'
import { loadCode } from './load.js'
import { redirectOutput } from './output.js'

/** Where the runner's replies come from, and whether waiting for them keeps the thread alive. */
export interface Port {
  listen(listener: (payload: Uint8Array) => void): void
  ref(): void
  unref(): void
}

/** Thrown by `skip`, and by nothing else. */
class Skipped extends Error {
  override readonly name = 'Skipped'
}

/** Loads a module and runs its body. All that is decided here is written down at once, in order. */
export async function runBody(port: Port, payload: Uint8Array, beforeBody = (): void => {}): Promise<void> {
  const start = deserialize(payload) as Start
  const write = frameWriter(start.token)
  write({ kind: 'started' })
  redirectOutput(write)
  const aborted = new AbortController()
  const calls = new Calls(port, write)
  let hasEnded = false
  let checks = 0
  port.listen(bytes => {
    const reply = deserialize(bytes) as Reply
    if (reply.kind === 'abort') aborted.abort(decodeError(reply.error))
    else calls.take(reply)
  })
  const { expect, unfinished } = createExpect(check => {
    if (hasEnded) write({ kind: 'late', what: `the check "${check.text}"` })
    else checks += 1
    write({ kind: 'check', check })
  })
  const context: TestContext = {
    test: { id: start.test, parameters: declared(start.parameters) },
    guest: calls.guestFor(start),
    host: calls.hostFor(start),
    peer: calls.peerFor(start),
    expect,
    environment: start.environment,
    signal: aborted.signal,
    measure: (name, value) => {
      if (!start.measures.includes(name)) {
        throw new TypeError(`the manifest declares no measure "${name}"`)
      }
      if (!Number.isFinite(value)) {
        throw new TypeError(`the measure "${name}" is ${value}`)
      }
      write(hasEnded ? { kind: 'late', what: `the measure "${name}"` } : { kind: 'measure', name, value })
    },
    attach: (name, content) => {
      if (name.trim() === '') {
        throw new TypeError('what is attached needs a name')
      }
      const bytes = typeof content === 'string' ? Buffer.from(content) : content
      write(hasEnded ? { kind: 'late', what: `the attachment "${name}"` } : { kind: 'attach', name, bytes })
    },
    skip: reason => {
      throw new Skipped(reason)
    },
  }
  const end = (): void => {
    hasEnded = true
    calls.end()
    setTimeout(
      () => write({ kind: 'lingers', resources: process.getActiveResourcesInfo() }),
      start.endMs,
    ).unref()
  }
  process.on('beforeExit', () => {
    if (hasEnded) write({ kind: 'idle', checks })
  })
  try {
    const exported = await loadCode(start.code)
    if (!isTestModule(exported)) {
      throw new TypeError('the module does not export test(…) by default')
    }
    beforeBody()
    write({ kind: 'begun' })
    await exported.body(context)
    write({ kind: 'returned', checks, unfinished: unfinished(), inFlight: calls.inFlight() })
  } catch (thrown) {
    if (thrown instanceof Skipped) {
      write({ kind: 'skipped', reason: thrown.message })
    } else {
      write({ kind: 'threw', error: encodeError(thrown), call: calls.whoseError(thrown) })
    }
  }
  end()
}

/** Parameters of which a misspelt name throws: what is read of it would be looked for in vain. */
function declared(parameters: TestParameters): TestParameters {
  return new Proxy(Object.freeze({ ...parameters }), {
    get: (values, name) => {
      if (typeof name !== 'string' || Object.hasOwn(values, name)) {
        return Reflect.get(values, name)
      }
      if (name in Object.prototype || name === 'toJSON') {
        return Reflect.get(values, name)
      }
      throw new TypeError(`the manifest declares no parameter "${name}"`)
    },
  })
}
