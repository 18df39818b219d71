import { InfraError } from '../config/errors.js'
import type { HostKeyRule } from '../config/model.js'
import type { Check, Seen } from '../hypervisors/driver.js'
import { type Machine, RefusedLogin } from '../remote/index.js'
import { retryDropped } from './retry.js'

const never = new AbortController().signal

/** How far a connection came before it failed. */
type Stage = 'nowhere' | 'reachable' | 'host key' | 'login'

/** One connection, made once, that all checks of a machine share. */
export interface Reached {
  readonly checks: readonly Check[]
  /** The connection, made anew when it was lost. Throws what connecting threw. */
  machine(): Promise<Machine>
  /** A check of the machine that is carried out again when its connection is dropped, as a run does. */
  again(check: Check): Check
  close(): Promise<void>
}

export interface ReachRequest {
  /** What messages of the connection call the machine; jumps are told apart by it. */
  readonly label: string
  readonly address: string
  readonly user: string
  readonly hostKey: HostKeyRule
  readonly connect: () => Promise<Machine>
  /** False for a connection that belongs to a driver. */
  readonly closes: boolean
}

/** The checks of one connection: a machine that is reached, proves who it is, and lets us in. */
export function reach({ label, address, user, hostKey, connect, closes }: ReachRequest): Reached {
  let connecting: Promise<Machine> | null = null
  const machine = async (): Promise<Machine> => {
    const known = connecting
    // A failure to connect is told once by each check that asked for it; a lost connection is made anew.
    if (known !== null && !(await known).lost.aborted) {
      return known
    }
    if (connecting === known || connecting === null) {
      connecting = retryDropped(connect, () => false, never)
    }
    return connecting
  }
  const isLost = async (): Promise<boolean> => (await connecting?.catch(() => null))?.lost.aborted === true
  const again = (check: Check): Check => ({
    ...check,
    carryOut: signal => retryDropped(() => check.carryOut(signal), isLost, signal),
  })
  const check = (
    stage: Exclude<Stage, 'nowhere'>,
    asked: string,
    seen: (machine: Machine) => string,
  ): Check => ({
    name: stage,
    asked,
    after: [],
    carryOut: async () => {
      try {
        return { state: 'ok', seen: seen(await machine()) }
      } catch (error) {
        return seenAt(stage, stageOf(error, label), error)
      }
    },
  })
  return {
    machine,
    again,
    checks: [
      check('reachable', address, () => 'a connection was made'),
      check('host key', ruleText(hostKey), ({ hostKey: key }) => key),
      check('login', user, () => 'a command was answered'),
    ],
    close: async () => {
      const opened = closes ? await connecting?.catch(() => null) : null
      await opened?.close()
    },
  }
}

const order: readonly Stage[] = ['nowhere', 'reachable', 'host key', 'login']

function seenAt(stage: Stage, failed: Stage, error: unknown): Seen {
  const message = error instanceof Error ? error.message : String(error)
  if (failed === 'nowhere') {
    // Nothing was tried: what keeps it from being tried is told where it belongs, with the log-in.
    return stage === 'login'
      ? { state: 'missing', seen: message }
      : { state: 'not-checked', seen: 'nothing was tried' }
  }
  const difference = order.indexOf(stage) - order.indexOf(failed)
  if (difference < 0) {
    return { state: 'ok', seen: 'as far as the connection came' }
  }
  return difference === 0
    ? { state: 'missing', seen: message }
    : { state: 'not-checked', seen: `"${failed}" is not ok` }
}

/** Where a connection failed: never later than is certain. */
function stageOf(error: unknown, label: string): Stage {
  if (!(error instanceof InfraError)) {
    return 'nowhere'
  }
  const { code, where, limit } = error.context
  if (where !== label) {
    // A jump host on the way.
    return 'reachable'
  }
  if (error instanceof RefusedLogin || code === 'command' || code === 'lost') {
    return 'login'
  }
  switch (code) {
    case 'connect':
      return 'reachable'
    case 'host-key':
    case 'handshake':
      return 'host key'
    case 'limit':
      return limit === 'authentication' || limit === 'firstCommand' || limit === 'command'
        ? 'login'
        : 'reachable'
    default:
      return 'nowhere'
  }
}

function ruleText(rule: HostKeyRule): string {
  switch (rule.kind) {
    case 'pinned':
      return rule.fingerprint
    case 'known-hosts':
      return `one of ${rule.path}`
    case 'accept-new':
      return 'any (accept-new)'
    case 'image':
      return "the image's"
  }
}
