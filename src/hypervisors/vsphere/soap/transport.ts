import { Agent, type RequestOptions, request } from 'node:https'
import { connect as connectTls, type TLSSocket } from 'node:tls'
import { InfraError } from '../../../config/errors.js'
import type { ApiConnection } from '../../../config/model.js'
import { formatDuration } from '../../../config/units.js'
import type { Limit } from '../../limit.js'

/** What one request is bounded by, and whom it is for. */
export interface CallOptions {
  readonly signal: AbortSignal
  readonly limit: Limit
  /** The instance or host that messages name. */
  readonly where: string
}

export interface HttpRequest {
  readonly method: 'GET' | 'POST'
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  /** True for what changes something: it is sent once, over a connection of its own, and not ended by the signal. */
  readonly changes?: boolean
}

export interface HttpAnswer {
  readonly status: number
  readonly cookies: readonly string[]
  readonly body: Buffer
}

/** Answers that are longer are taken for a mistake. */
const maxAnswerBytes = 64 * 1024 * 1024
/** Requests at once on kept connections. */
const maxSockets = 4

/** HTTPS to one server, whose certificate is pinned: nothing is sent to a server that shows another one. */
export class Transport {
  readonly #api: ApiConnection
  readonly #url: URL
  readonly #kept: Agent
  readonly #single: Agent

  constructor(api: ApiConnection) {
    this.#api = api
    this.#url = new URL(api.url)
    this.#kept = this.#agent({ keepAlive: true, maxSockets })
    this.#single = this.#agent({ keepAlive: false })
  }

  /** Sends a request. Throws InfraError: `connect`, `handshake`, `host-key`, `lost`, `limit` or `cancelled`. */
  async send(asked: HttpRequest, options: CallOptions): Promise<HttpAnswer> {
    if (options.signal.aborted) {
      throw this.#cancelled(options)
    }
    try {
      return await this.#sendOnce(asked, options)
    } catch (error) {
      // A server may close a kept connection at the moment that it is used again.
      if (asked.changes !== true && error instanceof StaleSocket) {
        return this.#sendOnce({ ...asked, changes: false }, options, this.#single)
      }
      throw error
    }
  }

  close(): void {
    this.#kept.destroy()
    this.#single.destroy()
  }

  #sendOnce(asked: HttpRequest, options: CallOptions, agent = this.#agentFor(asked)): Promise<HttpAnswer> {
    const { method, path, headers = {}, body, changes = false } = asked
    const { signal, limit, where } = options
    return new Promise((resolve, reject) => {
      const bytes = body === undefined ? undefined : Buffer.from(body)
      const length = bytes === undefined ? {} : { 'Content-Length': String(bytes.length) }
      const sent = request({
        host: hostOf(this.#url),
        port: this.#url.port || 443,
        path,
        method,
        agent,
        headers: { ...headers, ...length },
      })
      let over: Error | null = null
      const end = (error: Error): void => {
        over ??= error
        sent.destroy(error)
      }
      const timer = setTimeout(() => end(this.#late(method, options)), limit.ms)
      const cancel = (): void => end(this.#cancelled(options))
      if (!changes) {
        signal.addEventListener('abort', cancel, { once: true })
      }
      const settle = (work: () => void): void => {
        clearTimeout(timer)
        signal.removeEventListener('abort', cancel)
        work()
      }
      const fail = (error: NodeJS.ErrnoException): void =>
        settle(() => reject(over ?? this.#lost(error, where, sent.reusedSocket)))
      sent.on('error', fail)
      sent.on('response', response => {
        const chunks: Buffer[] = []
        let size = 0
        response.on('data', (chunk: Buffer) => {
          size += chunk.length
          chunks.push(chunk)
          if (size > maxAnswerBytes) {
            end(this.#error(`an answer of more than ${maxAnswerBytes} bytes`, where, 'command'))
          }
        })
        response.on('error', fail)
        response.on('aborted', () => fail(new Error('the connection ended within an answer')))
        response.on('end', () => {
          const cookies = response.headers['set-cookie'] ?? []
          const status = response.statusCode ?? 0
          settle(() => resolve({ status, cookies, body: Buffer.concat(chunks) }))
        })
      })
      sent.end(bytes)
    })
  }

  #agentFor({ changes }: HttpRequest): Agent {
    return changes === true ? this.#single : this.#kept
  }

  /** Gives sockets away only once the server has shown its certificate. */
  #agent(options: ConstructorParameters<typeof Agent>[0]): Agent {
    const agent = new Agent(options)
    const open = (given: RequestOptions, done: (error: Error | null, socket?: TLSSocket) => void): void => {
      const { certificate, tls } = this.#api
      const host = hostOf(this.#url)
      const socket = connectTls({
        host,
        port: Number(given.port),
        ...(/^[\d.:]+$/.test(host) ? {} : { servername: host }),
        // The certificate is pinned: who signed it, and for which name, says nothing more.
        rejectUnauthorized: false,
        minVersion: tls === '1.0' ? 'TLSv1' : `TLSv${tls}`,
        // What old versions speak is off by default in OpenSSL 3.
        ...(tls < '1.2' ? { ciphers: 'DEFAULT@SECLEVEL=0' } : {}),
      })
      const fail = (error: Error): void => done(error)
      socket.once('error', fail)
      socket.once('secureConnect', () => {
        socket.removeListener('error', fail)
        const shown = socket.getPeerCertificate().fingerprint256?.replaceAll(':', '').toLowerCase()
        if (shown === certificate) {
          done(null, socket)
        } else {
          socket.destroy()
          done(new WrongCertificate(shown ?? 'none'))
        }
      })
    }
    return Object.assign(agent, {
      createConnection: (given: RequestOptions, done: (error: Error | null, socket?: TLSSocket) => void) => {
        open(given, done)
      },
    })
  }

  #lost(error: NodeJS.ErrnoException, where: string, isReused: boolean): Error {
    if (error instanceof WrongCertificate) {
      const said = `its certificate has the SHA-256 ${error.shown}, and the lab says ${this.#api.certificate}`
      return this.#error(said, where, 'host-key')
    }
    if (isReused && error.code === 'ECONNRESET') {
      return new StaleSocket(`${this.#name(where)}: the connection was closed`, {
        cause: 'host',
        where,
        code: 'lost',
      })
    }
    const { code = '' } = error
    if (/^ERR_SSL|^EPROTO/.test(code)) {
      const why = `no TLS ${this.#api.tls} or newer with it: ${error.message.slice(0, 200)}`
      return this.#error(why, where, 'handshake')
    }
    const isRefused = ['ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH', 'ETIMEDOUT', 'ENOTFOUND', 'EAI_AGAIN']
    return this.#error(error.message || code, where, isRefused.includes(code) ? 'connect' : 'lost')
  }

  #late(method: string, { limit, where }: CallOptions): InfraError {
    const message = `${this.#name(where)}: no answer to ${method} within ${formatDuration(limit.ms)} (limit: ${limit.name})`
    return new InfraError(message, { cause: 'host', where, code: 'limit', limit: limit.name })
  }

  #cancelled({ where }: CallOptions): InfraError {
    return new InfraError(`${where}: cancelled`, { cause: 'runner', where, code: 'cancelled' })
  }

  #error(why: string, where: string, code: InfraError['context']['code']): InfraError {
    return new InfraError(`${this.#name(where)}: ${why}`, { cause: 'host', where, code })
  }

  #name(where: string): string {
    return `${where} by ${this.#url.host}`
  }
}

class WrongCertificate extends Error {
  readonly shown: string

  constructor(shown: string) {
    super('another certificate')
    this.shown = shown
  }
}

class StaleSocket extends InfraError {}

function hostOf(url: URL): string {
  return url.hostname.replace(/^\[(.*)\]$/, '$1')
}
