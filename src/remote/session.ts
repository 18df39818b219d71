import type { Duplex } from 'node:stream'
import ssh2, { type Client } from 'ssh2'
import { InfraError } from '../config/errors.js'
import type { Limits } from '../config/limits.js'
import { onAbort } from '../deadline/signals.js'
import { algorithmsFor, type HostKeyKind, kindOfKey } from './algorithms.js'
import {
  type AuthenticationLog,
  authenticator,
  type Credentials,
  longestWords,
  RefusedLogin,
} from './authentication.js'
import type { Hop } from './hops.js'
import { isSame, typeOfKey } from './host-keys/fingerprint.js'
import type { HostKeyPolicy } from './host-keys/policy.js'
import { Proposals } from './proposals.js'
import type { Stillness } from './stillness.js'
import { cancelled, messageOf, peerText } from './trouble.js'

/** A TCP stream that is to become an authenticated SSH connection. */
export interface SessionRequest {
  readonly stream: Duplex
  readonly hop: Hop
  readonly policy: HostKeyPolicy
  readonly credentials: Credentials
  readonly limits: Limits
  readonly signal: AbortSignal
  readonly where: string
  readonly stillness: Stillness
  /** Kinds of host key that were already seen to be wrong. */
  readonly without: ReadonlySet<HostKeyKind>
}

/** An authenticated connection. */
export interface Session {
  readonly client: Client
  /** The public key, in SSH's wire form, whose private key the other side has proved to hold. */
  readonly hostKey: Buffer
  /** True when the key was not known before. */
  readonly isNewKey: boolean
  /** The server's program and version, in its own words. */
  readonly software: string
  /** What the connection runs on: destroying it ends everything at once. */
  readonly stream: Duplex
  /** What went wrong between logging in and now, if anything. */
  early(): string | null
}

/** A host key that is not the right one; another kind of key may be. */
export class WrongHostKey extends InfraError {
  readonly kind: HostKeyKind | null

  constructor(message: string, where: string, key: Buffer) {
    super(message, { cause: 'unknown', where, code: 'host-key' })
    this.kind = kindOfKey(typeOfKey(key) ?? '')
  }
}

/**
 * Exchanges keys, checks the host key and logs in, each within its own limit. Throws InfraError:
 * `host-key` and `authentication` for what no retry can mend, `handshake`, `lost` and `limit` else.
 */
export function openSession(request: SessionRequest): Promise<Session> {
  return new Promise((resolve, reject) => new Opening(request, resolve, reject).start())
}

class Opening {
  readonly #request: SessionRequest
  readonly #resolve: (session: Session) => void
  readonly #reject: (error: InfraError) => void
  readonly #client = new ssh2.Client()
  readonly #log: AuthenticationLog = { tried: [], accepted: null, notes: [], words: [] }
  readonly #proposals = new Proposals()
  #phase: 'handshake' | 'authentication' = 'handshake'
  #hostKey: Buffer | null = null
  #isNewKey = false
  #endLimit: () => void = () => {}
  #ignoreAbort: () => void = () => {}
  #isSettled = false
  #early: string | null = null

  constructor(
    request: SessionRequest,
    resolve: (session: Session) => void,
    reject: (error: InfraError) => void,
  ) {
    this.#request = request
    this.#resolve = resolve
    this.#reject = reject
  }

  start(): void {
    const { stream, hop, policy, credentials, limits, signal, without } = this.#request
    const client = this.#client
    const order = { first: policy.knownTypes, without }
    this.#ignoreAbort = onAbort(signal, this.#onAbort)
    client.on('error', this.#onError)
    client.on('close', this.#onClose)
    client.on('banner', text => this.#log.words.push(...[peerText(text, longestWords)].filter(Boolean)))
    client.on('change password', prompt => {
      const said = this.#said([...this.#log.words, peerText(prompt, longestWords)])
      const what = `the password of ${hop.login.user} has expired and must be changed${said}`
      this.#fail(new RefusedLogin(this.#where, what, false))
    })
    client.once('handshake', this.#onHandshake)
    client.once('ready', this.#onReady)
    if (signal.aborted) {
      this.#onAbort()
      return
    }
    this.#startTimer('handshake')
    try {
      client.connect({
        sock: stream,
        username: hop.login.user,
        algorithms: algorithmsFor(hop.login.algorithms, order),
        hostVerifier: (key: Buffer): boolean => this.#verify(key),
        authHandler: authenticator(hop.login.user, credentials, this.#log, () => this.#fail(this.#refused())),
        // The limits above are ours: ssh2 knows one for handshake and authentication together.
        readyTimeout: 0,
        keepaliveInterval: limits.keepalive,
        // It probes alone: whether the machine may be silent just now is looked at elsewhere.
        keepaliveCountMax: Number.POSITIVE_INFINITY,
        // The only place where ssh2 says what the other side offered. It is told nothing secret.
        debug: line => this.#proposals.take(line),
      })
    } catch (error) {
      this.#fail(this.#trouble(`cannot begin: ${messageOf(error)}`, 'handshake', 'runner'))
    }
  }

  get #where(): string {
    return this.#request.where
  }

  /** Also called when keys are exchanged anew: then the key must be the one that was accepted. */
  #verify(key: Buffer): boolean {
    if (this.#hostKey !== null) {
      return isSame(this.#hostKey, key)
    }
    const judgement = this.#request.policy.judge(key)
    if (!judgement.accepted) {
      this.#fail(new WrongHostKey(judgement.why, this.#where, key))
      return false
    }
    this.#hostKey = Buffer.from(key)
    this.#isNewKey = judgement.isNew
    return true
  }

  /** What the server said, for a message; nothing when it said nothing. */
  #said(words: readonly string[] = this.#log.words): string {
    const said = [...new Set(words.filter(Boolean))].join(' | ')
    return said === '' ? '' : `; the server said: "${peerText(said, longestWords)}"`
  }

  readonly #onHandshake = (): void => {
    this.#proposals.end()
    this.#phase = 'authentication'
    this.#startTimer('authentication')
  }

  readonly #onReady = (): void => {
    if (this.#hostKey === null) {
      this.#fail(this.#trouble('no host key was shown', 'host-key', 'unknown'))
      return
    }
    this.#settle()
    const { stream } = this.#request
    this.#resolve({
      client: this.#client,
      hostKey: this.#hostKey,
      isNewKey: this.#isNewKey,
      software: this.#proposals.software,
      stream,
      early: () => this.#early ?? (stream.destroyed ? 'it was closed at once' : null),
    })
  }

  readonly #onAbort = (): void => this.#fail(cancelled(this.#where, 'connecting'))

  readonly #onClose = (): void => {
    const during = this.#phase === 'handshake' ? 'during the key exchange' : 'during authentication'
    const code = this.#phase === 'handshake' ? 'handshake' : 'lost'
    if (this.#log.tried.length > 0 && this.#log.words.length > 0) {
      // As sshd does when PAM refuses the account: it says why, and hangs up.
      this.#fail(this.#refused())
      return
    }
    this.#fail(this.#trouble(`the connection was closed ${during}${this.#said()}`, code, 'network'))
  }

  readonly #onError = (error: Error & { level?: string }): void => {
    const text = peerText(error.message)
    if (error.level === 'agent') {
      // ssh2 goes on with the next method by itself.
      this.#log.notes.push(text)
    } else if (this.#phase === 'handshake') {
      this.#fail(this.#handshakeTrouble(text))
    } else if (error.level === 'client-socket') {
      this.#fail(this.#trouble(`the connection was lost during authentication: ${text}`, 'lost', 'network'))
    } else {
      this.#log.notes.push(text)
      this.#fail(this.#refused())
    }
  }

  #handshakeTrouble(text: string): InfraError {
    const { hop } = this.#request
    const missing = /no matching (.*)$/.exec(text)?.[1]
    if (missing === undefined) {
      return this.#trouble(`the key exchange failed: ${text}`, 'handshake', 'network')
    }
    const why = this.#proposals.explain(missing, hop.login.algorithms)
    return this.#trouble(
      `no algorithm in common with ${hop.host}:${hop.port}: ${missing}; ${why}`,
      'handshake',
      'unknown',
    )
  }

  #refused(): InfraError {
    const { hop } = this.#request
    const tried = this.#log.tried.length === 0 ? 'nothing' : this.#log.tried.join(', ')
    const accepted =
      this.#log.accepted === null
        ? ''
        : `; it accepts ${peerText(this.#log.accepted.join(', ')) || 'nothing'}`
    const notes = this.#log.notes.length === 0 ? '' : `; ${this.#log.notes.join('; ')}`
    return new RefusedLogin(
      this.#where,
      `${hop.login.user}@${hop.host}:${hop.port} refused the log-in: tried ${tried}${accepted}${notes}${this.#said()}`,
    )
  }

  #trouble(
    what: string,
    code: InfraError['context']['code'],
    cause: InfraError['context']['cause'],
    limit?: string,
  ): InfraError {
    const context = { cause, where: this.#where, code, ...(limit === undefined ? {} : { limit }) }
    return new InfraError(`${this.#where}: ${what}`, context)
  }

  #startTimer(limit: 'handshake' | 'authentication'): void {
    this.#endLimit()
    const ms = this.#request.limits[limit]
    this.#endLimit = this.#request.stillness.after(ms, () => {
      const code = limit === 'handshake' ? 'handshake' : 'limit'
      this.#fail(this.#trouble(`the limit "${limit}" of ${ms} ms was reached`, code, 'network', limit))
    })
  }

  #settle(): void {
    this.#isSettled = true
    this.#endLimit()
    this.#ignoreAbort()
    this.#client.off('error', this.#onError)
    this.#client.on('error', error => {
      this.#early ??= peerText(error.message)
    })
    this.#client.off('close', this.#onClose)
  }

  #fail(error: InfraError): void {
    if (this.#isSettled) {
      return
    }
    this.#settle()
    this.#request.stream.on('error', () => {})
    this.#client.end()
    this.#request.stream.destroy()
    this.#reject(error)
  }
}
