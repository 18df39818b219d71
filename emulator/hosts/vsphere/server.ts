import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import type { HostFaults } from '../faults.js'
import { text, XmlMistake } from '../xml.js'
import { makeCertificate } from './certificate.js'
import { type Call, el, faultResponse, readCall, ref, response, VimFault } from './message.js'
import { faultOf } from './task.js'
import type { VCenter } from './vcenter.js'

/** Who may log in. */
export interface Account {
  readonly user: string
  readonly password: string
}

/** An emulated vCenter's address. */
export interface ApiServer {
  readonly port: number
  /** The SHA-256 of its certificate, in lower-case hexadecimal digits. */
  readonly certificate: string
  close(): Promise<void>
}

export interface ApiServerRequest {
  readonly vcenter: VCenter
  readonly about: { readonly version: string; readonly build: string }
  readonly accounts: readonly Account[]
  readonly address: string
  /** What it does wrong, of all hosts that it manages. */
  faults(): HostFaults
  /** Told of each method that is called, before it is answered. */
  onCall(method: string): void
}

/** What a screen that shows nothing looks like: one grey pixel. */
const picture = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNoAAAAggCBd81ytgAAAABJRU5ErkJggg==',
  'base64',
)
const cookieName = 'vmware_soap_session'
const longestBody = 1024 * 1024

/** Serves a vCenter's API: SOAP 1.1 over HTTPS at `/sdk`, and files of its datastores at `/folder`. */
export async function serveApi(request: ApiServerRequest): Promise<ApiServer> {
  const { key, cert, sha256 } = makeCertificate('emulated-vcenter')
  const sessions = new Map<string, number>()
  const server: Server = createServer({ key, cert, minVersion: 'TLSv1.2' }, (asked, answer) => {
    const chunks: Buffer[] = []
    let size = 0
    asked.on('error', () => {})
    asked.on('data', (chunk: Buffer) => {
      size += chunk.length
      if (size <= longestBody) chunks.push(chunk)
    })
    asked.on('end', () => {
      const session = /vmware_soap_session="?([\w-]+)/.exec(asked.headers.cookie ?? '')?.[1]
      if (asked.url === '/sdk/vimServiceVersions.xml') {
        answer.writeHead(200, { 'Content-Type': 'text/xml' })
        answer.end(versions(request.about.version))
        return
      }
      if (asked.method !== 'POST') {
        const isPicture = asked.url?.startsWith('/folder/') === true && sessions.has(session ?? '')
        answer.writeHead(isPicture ? 200 : 404, { 'Content-Type': isPicture ? 'image/png' : 'text/html' })
        answer.end(isPicture ? picture : '')
        return
      }
      void post(Buffer.concat(chunks).toString(), session).then(({ status, body, made }) => {
        const cookie =
          made === undefined ? {} : { 'Set-Cookie': `${cookieName}="${made}"; Path=/; HttpOnly; Secure; ` }
        answer.writeHead(status, { 'Content-Type': 'text/xml; charset=utf-8', ...cookie })
        answer.end(body)
      })
    })
  })

  async function post(body: string, session: string | undefined) {
    try {
      const call = readCall(body)
      if (!call) throw new VimFault('InvalidRequest', 'Unable to parse the request')
      request.onCall(call.method)
      await wait(request.faults().slow?.ms ?? 0)
      return await dispatch(call, session)
    } catch (error) {
      const fault =
        error instanceof XmlMistake ? new VimFault('InvalidRequest', error.message) : faultOf(error)
      return { status: 500, body: faultResponse(fault) }
    }
  }

  async function dispatch(call: Call, session: string | undefined) {
    if (call.method === 'RetrieveServiceContent') {
      return { status: 200, body: response(call.method, serviceContent(request.about)) }
    }
    if (call.method === 'Login') {
      const isKnown = request.accounts.some(
        ({ user, password }) =>
          user === text(call.args, 'userName') && password === text(call.args, 'password'),
      )
      if (!isKnown) {
        throw new VimFault('InvalidLogin', 'Cannot complete login due to an incorrect user name or password.')
      }
      const made = randomUUID()
      sessions.set(made, 0)
      return { status: 200, body: response('Login', el('returnval', el('key', made))), made }
    }
    demandSession(session)
    if (call.method === 'Logout') {
      sessions.delete(session ?? '')
      return { status: 200, body: response('Logout', '') }
    }
    return { status: 200, body: response(call.method, await request.vcenter.answer(call)) }
  }

  /** Sessions end by themselves, and where a host was told to after so many calls. */
  function demandSession(session: string | undefined): void {
    const calls = sessions.get(session ?? '')
    const most = request.faults().sessionEnds?.calls
    if (session === undefined || calls === undefined || (most !== undefined && calls >= most)) {
      sessions.delete(session ?? '')
      throw new VimFault('NotAuthenticated', 'The session is not authenticated.')
    }
    sessions.set(session, calls + 1)
  }

  server.on('tlsClientError', () => {})
  server.listen(0, request.address)
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    port,
    certificate: sha256,
    close: async () => {
      server.close()
      server.closeAllConnections()
    },
  }
}

function versions(version: string): string {
  const namespace = `${el('name', 'urn:vim25')}${el('version', `${version}.0`)}`
  return `<?xml version="1.0" encoding="UTF-8"?><namespaces version="1.0">${el('namespace', namespace)}</namespaces>`
}

function serviceContent({ version, build }: ApiServerRequest['about']): string {
  const about = [
    el('name', 'VMware vCenter Server'),
    el('fullName', `VMware vCenter Server ${version} build-${build}`),
    el('vendor', 'VMware, Inc.'),
    el('version', version),
    el('build', build),
    el('osType', 'linux-x64'),
    el('productLineId', 'vpx'),
    el('apiType', 'VirtualCenter'),
    el('apiVersion', `${version}.0`),
  ]
  const managers = [
    ref('rootFolder', 'Folder', 'group-d1'),
    ref('propertyCollector', 'PropertyCollector', 'propertyCollector'),
    el('about', about.join('')),
    ref('sessionManager', 'SessionManager', 'SessionManager'),
    ref('customFieldsManager', 'CustomFieldsManager', 'CustomFieldsManager'),
    ref('searchIndex', 'SearchIndex', 'SearchIndex'),
    ref('fileManager', 'FileManager', 'FileManager'),
  ]
  return el('returnval', managers.join(''))
}
