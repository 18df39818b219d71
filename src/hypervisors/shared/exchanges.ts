import { AsyncLocalStorage } from 'node:async_hooks'

/** What was sent to a host, and what it answered. */
export interface Exchange {
  readonly command: string
  /** What the command was given on standard input. */
  readonly input?: string
  /** `0`, `return`, … in the host's own words, or `failed`, `refused`. */
  readonly status: string
  readonly answer: string
}

/** Hears, and may refuse, what drivers send to their hosts. */
export interface ExchangeListener {
  /** Called before a command is sent; true when it is not to be sent, but answered as a host that refuses it would. */
  sending(command: string): boolean
  answered(exchange: Exchange): void
}

/** How an exchange is told of, and what a refusal looks like. */
export interface ExchangeForm<T> {
  readonly input?: string
  /** What the driver gets when the command is refused. May throw. */
  readonly refused: (why: string) => T
  readonly show: (answer: T) => Pick<Exchange, 'status' | 'answer'>
}

const listeners = new AsyncLocalStorage<ExchangeListener | undefined>()
const refusal = 'refused by the contract test'

/** Does work whose exchanges with hosts are heard: those that it begins, and all that follows from them. */
export function hearExchanges<T>(listener: ExchangeListener, work: () => T): T {
  return listeners.run(listener, work)
}

/** Does work that nobody hears, also when it is begun by what is heard. */
export function unheard<T>(work: () => T): T {
  return listeners.run(undefined, work)
}

/** Sends a command to a host. Every driver sends all its commands through here, so that they can be heard. */
export async function exchange<T>(
  sent: string | (() => string),
  send: () => Promise<T>,
  { input, refused, show }: ExchangeForm<T>,
): Promise<T> {
  const listener = listeners.getStore()
  if (listener === undefined) {
    return send()
  }
  const command = typeof sent === 'string' ? sent : sent()
  const tell = (status: string, answer: string): void =>
    listener.answered({ command, ...(input === undefined ? {} : { input }), status, answer })
  if (listener.sending(command)) {
    tell('refused', refusal)
    return refused(refusal)
  }
  try {
    const given = await send()
    const { status, answer } = show(given)
    tell(status, answer)
    return given
  } catch (error) {
    tell('failed', error instanceof Error ? error.message : String(error))
    throw error
  }
}
