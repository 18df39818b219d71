import { once } from 'node:events'
import { createServer, request as httpsRequest } from 'node:https'
import type { AddressInfo } from 'node:net'
import { makeCertificate } from '../../../emulator/hosts/vsphere/certificate.js'
import { type Element, find, parseMessage, textAt } from './soap/element.js'
import { envelope, reference, tag, type Written } from './soap/write.js'

/** A server that the front stands before. */
export interface Served {
  readonly url: string
  readonly user: string
  readonly password: string
}

/** A request that was answered. */
export interface Heard {
  readonly method: string
  readonly body: string
}

/** A server between the driver and the simulator. */
export interface Front {
  readonly url: string
  readonly certificate: string
  /** All that was asked, by the driver alone. */
  readonly heard: Heard[]
  /** Told of every request before it is passed on. */
  onRequest: (heard: Heard) => void
  /** Answers a request with a fault instead of passing it on; `null` passes it on. */
  refuse: (heard: Heard) => { readonly fault: string; readonly text: string } | null
  /** Changes a request on its way: a mutant of the driver. */
  alter: (heard: Heard) => string
  /** Asks the simulator something behind the driver's back. */
  ask(
    method: string,
    self: readonly [type: string, value: string],
    args?: readonly Written[],
  ): Promise<Element>
  close(): Promise<void>
}

const picture = Buffer.from('89504e470d0a1a0a', 'hex')

interface Taken {
  readonly vm: string
  readonly wasOn: boolean
  readonly memory: boolean
  readonly annotation: string
}

/**
 * Plays what the simulator (govmomi 0.24.2) does not do. It reports success for `RevertToSnapshot_Task` and reverts
 * nothing: power and annotation are brought back here. It leaves a clone on its template's host, without the
 * annotation of the call and without an address, and takes a name twice. It knows neither `CreateScreenshot_Task` nor
 * `SendNMI` nor `CancelTask`. What `SetField` wrote last it keeps
 * beside what was there before, which the driver reads as the last one.
 */
export async function startFront(server: Served, plays = true): Promise<Front> {
  const { key, cert, sha256 } = makeCertificate('front')
  const taken = new Map<string, Taken>()
  const front: Front = {
    url: '',
    certificate: sha256,
    heard: [],
    onRequest: () => {},
    refuse: () => null,
    alter: ({ body }) => body,
    ask,
    close: async () => {
      listener.close()
      listener.closeAllConnections()
    },
  }
  let cookie = ''
  let shots = 0

  async function ask(
    method: string,
    [type, value]: readonly [string, string],
    args: readonly Written[] = [],
  ) {
    if (cookie === '') {
      const login = [tag('userName', server.user), tag('password', server.password)]
      const sent = envelope('Login', { type: 'SessionManager', value: 'SessionManager' }, login)
      cookie = (await pass({ method: 'POST', path: '/sdk', body: sent, cookie: '' })).cookie
    }
    const body = envelope(method, { type, value }, args)
    const answer = await pass({ method: 'POST', path: '/sdk', body, cookie })
    const message = find(parseMessage(answer.text), 'Body')
    if (find(message, 'Fault') !== undefined) {
      throw new Error(`${method}: ${textAt(message, 'Fault', 'faultstring')}`)
    }
    const call = find(parseMessage(body), 'Body')?.children[0]
    if (call !== undefined && plays) {
      await afterwards(method, call, answer.text)
    }
    return message?.children[0] ?? parseMessage(answer.text)
  }

  interface Passed {
    readonly method: string
    readonly path: string
    readonly body: string
    readonly cookie: string
  }

  function pass({ method, path, body, cookie: with_ }: Passed): Promise<{
    readonly status: number
    readonly text: string
    readonly cookie: string
    readonly type: string
  }> {
    return new Promise((resolve, reject) => {
      const sent = httpsRequest(`${server.url}${path}`, {
        method,
        rejectUnauthorized: false,
        agent: false,
        headers: { Cookie: with_, 'Content-Length': Buffer.byteLength(body) },
      })
      sent.on('error', reject)
      sent.on('response', response => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('end', () => {
          const given = response.headers['set-cookie']?.[0]?.replace(/;.*/s, '') ?? with_
          const type = response.headers['content-type'] ?? 'text/xml'
          resolve({
            status: response.statusCode ?? 0,
            text: Buffer.concat(chunks).toString(),
            cookie: given,
            type,
          })
        })
      })
      sent.end(body)
    })
  }

  /** A property of one object, as the simulator has it. */
  async function property(object: readonly [string, string], path: string): Promise<Element | undefined> {
    const [type, value] = object
    const spec = tag('specSet', [
      tag('propSet', [tag('type', type), tag('pathSet', path)]),
      tag('objectSet', [reference('obj', { type, value })]),
    ])
    const answer = await ask(
      'RetrievePropertiesEx',
      ['PropertyCollector', 'propertyCollector'],
      [spec, tag('options')],
    )
    return find(answer, 'returnval', 'objects', 'propSet', 'val')
  }

  /** Waits for a task; gives its result. */
  async function ended(task: string): Promise<string | undefined> {
    for (;;) {
      const info = await property(['Task', task], 'info')
      const state = textAt(info, 'state')
      if (state === 'success' || state === 'error') {
        return state === 'success' ? textAt(info, 'result') : undefined
      }
    }
  }

  async function afterwards(method: string, call: Element, answer: string): Promise<void> {
    const message = find(parseMessage(answer), 'Body')
    const task = textAt(message, `${method}Response`, 'returnval') ?? ''
    const self = textAt(call, '_this') ?? ''
    if (method === 'CreateSnapshot_Task') {
      const snapshot = await ended(task)
      const vm = ['VirtualMachine', self] as const
      taken.set(snapshot ?? '', {
        vm: self,
        wasOn: (await property(vm, 'runtime.powerState'))?.text === 'poweredOn',
        memory: textAt(call, 'memory') === 'true',
        annotation: (await property(vm, 'config.annotation'))?.text ?? '',
      })
    }
    if (method === 'RevertToSnapshot_Task') {
      await ended(task)
      await revert(taken.get(self), textAt(call, 'suppressPowerOn') === 'true')
    }
    if (method === 'CloneVM_Task') {
      const clone = await ended(task)
      const host = textAt(call, 'spec', 'location', 'host')
      const pool = textAt(call, 'spec', 'location', 'pool')
      if (clone !== undefined && host !== undefined && pool !== undefined) {
        const to = [
          reference('pool', { type: 'ResourcePool', value: pool }),
          reference('host', { type: 'HostSystem', value: host }),
        ]
        await done('RelocateVM_Task', clone, [tag('spec', to)])
        const address = [tag('key', 'SET.guest.ipAddress'), tag('value', '192.0.2.10', 'xsd:string')]
        const annotation = tag('annotation', textAt(call, 'spec', 'config', 'annotation') ?? '')
        await done('ReconfigVM_Task', clone, [tag('spec', [annotation, tag('extraConfig', address)])])
      }
    }
  }

  async function done(method: string, vm: string, args: readonly Written[] = []): Promise<void> {
    await ended(textAt(await ask(method, ['VirtualMachine', vm], args), 'returnval') ?? '')
  }

  async function revert(snapshot: Taken | undefined, suppress: boolean): Promise<void> {
    if (snapshot === undefined) {
      return
    }
    const { vm, wasOn, memory, annotation } = snapshot
    const now = (await property(['VirtualMachine', vm], 'runtime.powerState'))?.text
    const isOn = wasOn && memory && !suppress
    if (isOn !== (now === 'poweredOn')) {
      await done(isOn ? 'PowerOnVM_Task' : 'PowerOffVM_Task', vm)
    }
    await done('ReconfigVM_Task', vm, [tag('spec', [tag('annotation', annotation)])])
  }

  async function isTaken(name: string): Promise<boolean> {
    const found = await ask(
      'FindByInventoryPath',
      ['SearchIndex', 'SearchIndex'],
      [tag('inventoryPath', `DC0/vm/${name}`)],
    )
    return textAt(found, 'returnval') !== undefined
  }

  /** What the simulator would not answer as a real server does; `null` where it does. */
  async function own(method: string, call: Element): Promise<string | null> {
    const self = textAt(call, '_this') ?? ''
    if (method === 'SendNMI') {
      return response(method, [])
    }
    if (method === 'CancelTask') {
      // Tasks of the simulator have ended when their call is answered.
      return fault('InvalidState', 'The operation is not allowed in the current state.')
    }
    if (method === 'CreateScreenshot_Task') {
      shots += 1
      const path = `[LocalDS_0] ${self}-${shots}.png`
      return response(method, [reference('returnval', { type: 'Task', value: `shot-${path}` })])
    }
    if (
      method === 'RetrievePropertiesEx' &&
      textAt(call, 'specSet', 'objectSet', 'obj')?.startsWith('shot-')
    ) {
      const task = textAt(call, 'specSet', 'objectSet', 'obj') ?? ''
      const result = tag('result', task.slice('shot-'.length), 'xsd:string')
      const info = tag('val', [tag('state', 'success'), result], 'TaskInfo')
      const object = [
        reference('obj', { type: 'Task', value: task }),
        tag('propSet', [tag('name', 'info'), info]),
      ]
      return response(method, [tag('returnval', [tag('objects', object)])])
    }
    if (method === 'DeleteDatastoreFile_Task') {
      return response(method, [reference('returnval', { type: 'Task', value: 'shot-removed' })])
    }
    if (method === 'CloneVM_Task' && (await isTaken(textAt(call, 'name') ?? ''))) {
      return fault('DuplicateName', `The name '${textAt(call, 'name')}' already exists.`)
    }
    return null
  }

  const listener = createServer({ key, cert }, (asked, answer) => {
    const chunks: Buffer[] = []
    asked.on('data', (chunk: Buffer) => chunks.push(chunk))
    asked.on('end', () => {
      const text = Buffer.concat(chunks).toString()
      void handle(asked.method ?? 'GET', asked.url ?? '/', text, asked.headers.cookie ?? '')
        .then(({ status, body, cookie: given, type }) => {
          answer.writeHead(status, {
            'Content-Type': type,
            ...(given === '' ? {} : { 'Set-Cookie': `${given}; Path=/` }),
          })
          answer.end(body)
        })
        .catch((error: unknown) => {
          answer.writeHead(502)
          answer.end(String(error))
        })
    })
  })

  async function handle(method: string, path: string, text: string, with_: string) {
    if (method === 'GET') {
      if (path.startsWith('/folder/') && plays) {
        return { status: 200, body: picture, cookie: '', type: 'image/png' }
      }
      const { status, text: body, type } = await pass({ method, path, body: '', cookie: with_ })
      return { status, body, cookie: '', type }
    }
    const call = find(parseMessage(text), 'Body')?.children[0]
    const heard = { method: call?.name ?? '', body: text }
    front.heard.push(heard)
    front.onRequest(heard)
    const refused = front.refuse(heard)
    if (refused !== null) {
      return { status: 500, body: fault(refused.fault, refused.text), cookie: '', type: 'text/xml' }
    }
    const altered = front.alter(heard)
    const meant = find(parseMessage(altered), 'Body')?.children[0]
    const ours = meant === undefined || !plays ? null : await own(meant.name, meant)
    if (ours !== null) {
      return { status: ours.includes(':Fault>') ? 500 : 200, body: ours, cookie: '', type: 'text/xml' }
    }
    const passed = await pass({ method, path, body: altered, cookie: with_ })
    // Who sent another call does not learn it from the name of the answer.
    const answer = {
      ...passed,
      text: passed.text.replaceAll(`${meant?.name}Response`, `${heard.method}Response`),
    }
    if (answer.status === 200 && meant !== undefined && plays) {
      await afterwards(meant.name, meant, passed.text)
    }
    return { status: answer.status, body: answer.text, cookie: answer.cookie, type: answer.type }
  }

  listener.listen(0, '127.0.0.1')
  await once(listener, 'listening')
  const { port } = listener.address() as AddressInfo
  return Object.assign(front, { url: `https://127.0.0.1:${port}` })
}

function response(method: string, parts: readonly Written[]): string {
  const inner = parts.map(({ xml }) => xml).join('')
  return message(`<${method}Response xmlns="urn:vim25">${inner}</${method}Response>`)
}

function fault(type: string, text: string): string {
  const detail = `<detail><${type}Fault xmlns="urn:vim25" xsi:type="${type}"/></detail>`
  return message(
    `<soapenv:Fault><faultcode>ServerFaultCode</faultcode><faultstring>${text}</faultstring>${detail}</soapenv:Fault>`,
  )
}

function message(body: string): string {
  return `<?xml version="1.0" encoding="UTF-8"?><soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><soapenv:Body>${body}</soapenv:Body></soapenv:Envelope>`
}
