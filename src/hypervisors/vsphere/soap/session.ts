import { InfraError } from '../../../config/errors.js'
import type { ApiConnection } from '../../../config/model.js'
import { resolveSecret, secretSources } from '../../../remote/index.js'
import { bounded, type Limit } from '../../limit.js'
import { exchange } from '../../shared/exchanges.js'
import { type Element, find, parseMessage, type Reference, referenceOf, textAt } from './element.js'
import { isFault, readSoapFault, VimFault } from './fault.js'
import { type CallOptions, type HttpAnswer, Transport } from './transport.js'
import { envelope, tag, type Written } from './write.js'

export type { CallOptions } from './transport.js'

/** A call of a method of the API. */
export interface Call {
  readonly self: Reference
  readonly method: string
  readonly args?: readonly Written[]
  /** True for what changes something: it is sent once, and its answer is waited for whatever the signal says. */
  readonly changes?: boolean
}

/** What the server is: its managers by name, and its account of itself. */
export interface ServiceContent {
  /** A manager, by the name of its property in `ServiceContent`; `undefined` where the server has none. */
  manager(name: string): Reference | undefined
  readonly about: Readonly<Record<string, string>>
  /** True for a vCenter, false for an ESXi host by itself. */
  readonly isVcenter: boolean
}

/** What came back of a request. */
interface Posted {
  readonly returned: readonly Element[]
  readonly cookies: readonly string[]
  readonly body: string
}

const root: Reference = { type: 'ServiceInstance', value: 'ServiceInstance' }

interface LoggedIn {
  readonly cookie: string
  readonly action: string
  readonly content: ServiceContent
}

/**
 * A session with one vCenter or ESXi host (vSphere Web Services API over SOAP 1.1). It begins with the first call, and
 * anew when the server has forgotten it: sessions end after half an hour without a call, or with the server.
 */
export class Session {
  readonly #api: ApiConnection
  readonly #transport: Transport
  readonly #limit: Limit
  readonly #closing = new AbortController()
  #login: Promise<LoggedIn> | null = null

  constructor(api: ApiConnection, limit: Limit) {
    this.#api = api
    this.#limit = limit
    this.#transport = new Transport(api)
  }

  get url(): string {
    return this.#api.url
  }

  /** What the server is; logs in where nobody has. */
  async content(options: CallOptions): Promise<ServiceContent> {
    return (await this.#loggedIn(options)).content
  }

  /** Calls a method; gives what it returns, `undefined` where that is nothing. Throws VimFault or InfraError. */
  async call(call: Call, options: CallOptions): Promise<Element | undefined> {
    return (await this.callAll(call, options))[0]
  }

  /** The same, for methods that return a list. */
  async callAll(call: Call, options: CallOptions): Promise<readonly Element[]> {
    const login = await this.#loggedIn(options)
    try {
      return await this.#send(call, options, login)
    } catch (error) {
      if (!isFault(error, 'NotAuthenticated')) {
        throw error
      }
      // Refused before anything was done: it may be asked again. Others may have logged in meanwhile.
      if ((await this.#login) === login) {
        this.#login = null
      }
      return this.#send(call, options, await this.#loggedIn(options))
    }
  }

  /** Fetches a file of a datastore over HTTPS. */
  async download(path: string, options: CallOptions): Promise<Buffer> {
    const { cookie } = await this.#loggedIn(options)
    const { status, body } = await this.#transport.send(
      { method: 'GET', path, headers: { Cookie: cookie } },
      options,
    )
    if (status !== 200) {
      throw this.#error(`${path.replace(/\?.*/, '')}: HTTP status ${status}`, options.where)
    }
    return body
  }

  /** Logs out, so that the server need not keep the session. Never throws. */
  async close(): Promise<void> {
    const login = await this.#login?.catch(() => null)
    const manager = login?.content.manager('sessionManager')
    if (login && manager !== undefined && !this.#closing.signal.aborted) {
      const options = { signal: this.#closing.signal, limit: this.#limit, where: this.#api.url }
      await this.#send({ self: manager, method: 'Logout' }, options, login).catch(() => {})
    }
    this.#closing.abort()
    this.#login = null
    this.#transport.close()
  }

  /** No caller's signal ends it: others may wait for the same session. */
  #loggedIn({ signal, where }: CallOptions): Promise<LoggedIn> {
    const options = { signal: this.#closing.signal, limit: this.#limit, where }
    const login = (this.#login ??= this.#logIn(options))
    login.catch(() => {
      if (this.#login === login) {
        this.#login = null
      }
    })
    return bounded(login, where, `a session with ${this.#api.url}`, this.#limit, signal)
  }

  async #logIn(options: CallOptions): Promise<LoggedIn> {
    const action = `urn:vim25/${await this.#apiVersion(options)}`
    const found = await this.#post({ self: root, method: 'RetrieveServiceContent' }, options, { action })
    const content = contentOf(found.returned[0])
    const manager = content.manager('sessionManager')
    if (manager === undefined) {
      throw this.#error('it names no session manager', options.where)
    }
    const where = options.where
    const password = await resolveSecret(
      this.#api.password,
      { what: 'the password', where },
      secretSources({}),
    )
    const args = [tag('userName', this.#api.user), tag('password', password)]
    const { cookies } = await this.#post({ self: manager, method: 'Login', args }, options, { action })
    const cookie = cookies.map(each => each.replace(/;.*/s, '')).find(each => each.startsWith('vmware_soap_'))
    if (cookie === undefined) {
      throw this.#error('it gave no session at login', where)
    }
    return { cookie, action, content }
  }

  /** The newest version of the API that the server has; the oldest that it may be, where it does not say. */
  async #apiVersion(options: CallOptions): Promise<string> {
    const { status, body } = await this.#transport.send(
      { method: 'GET', path: '/sdk/vimServiceVersions.xml' },
      options,
    )
    const namespaces = status === 200 ? this.#parse({ status, body, cookies: [] }, options).children : []
    const vim = namespaces.find(each => textAt(each, 'name') === 'urn:vim25')
    return textAt(vim, 'version') ?? '5.0'
  }

  /** Logging in is not among what is heard: its password is. */
  async #send(call: Call, options: CallOptions, login: LoggedIn): Promise<readonly Element[]> {
    const { self, method, args = [] } = call
    const answer = await exchange(
      () => envelope(method, self, args),
      () => this.#post(call, options, login),
      {
        refused: why => {
          throw new VimFault(options.where, method, { fault: 'SystemError', message: why, detail: undefined })
        },
        show: ({ body }) => ({ status: '200', answer: body }),
      },
    )
    return answer.returned
  }

  async #post(
    { self, method, args = [], changes = false }: Call,
    options: CallOptions,
    { action, cookie }: { readonly action: string; readonly cookie?: string },
  ): Promise<Posted> {
    const headers = {
      'Content-Type': 'text/xml; charset=utf-8',
      SOAPAction: `"${action}"`,
      ...(cookie === undefined ? {} : { Cookie: cookie }),
    }
    const body = envelope(method, self, args)
    const answer = await this.#transport.send(
      { method: 'POST', path: '/sdk', headers, body, changes },
      options,
    )
    const message = find(this.#parse(answer, options), 'Body')
    const fault = readSoapFault(message)
    if (fault !== null) {
      throw new VimFault(options.where, method, fault)
    }
    const response = find(message, `${method}Response`)
    if (response === undefined || answer.status !== 200) {
      throw this.#error(`${method}: HTTP status ${answer.status} without an answer`, options.where)
    }
    const returned = response.children.filter(({ name }) => name === 'returnval')
    return { returned, cookies: answer.cookies, body: answer.body.toString('utf8') }
  }

  #parse({ status, body }: HttpAnswer, { where }: CallOptions): Element {
    try {
      return parseMessage(body.toString('utf8'))
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error)
      throw this.#error(`HTTP status ${status}, and what came is not SOAP: ${why.slice(0, 200)}`, where)
    }
  }

  #error(why: string, where: string): InfraError {
    return new InfraError(`${where} by ${this.#api.url}: ${why}`, { cause: 'host', where, code: 'command' })
  }
}

function contentOf(content: Element | undefined): ServiceContent {
  const about = find(content, 'about')
  const words = Object.fromEntries((about?.children ?? []).map(({ name, text }) => [name, text.trim()]))
  return {
    manager: name => referenceOf(find(content, name)),
    about: words,
    isVcenter: words.apiType === 'VirtualCenter',
  }
}
