import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { connect, createServer, type Server, type Socket } from 'node:net'
import t, { type Test } from 'tap'
import type { Limit } from '../limit.js'
import { aborted } from '../limit.js'
import { QmpClient, QmpRefusal } from './qmp.js'

const limit: Limit = { name: 'test', ms: 10_000 }
const never = new AbortController().signal
const greeting =
  '{"QMP": {"version": {"qemu": {"micro": 1, "minor": 0, "major": 9}}, "capabilities": []}}\r\n'

/** A peer that speaks as it is told; the answer's second is its end of the connection. */
async function peer(
  t: Test,
  answer: (request: { execute: string; id: number }, qemu: Socket) => void,
  first = greeting,
): Promise<{ ours: Socket; qemu: Socket }> {
  const server: Server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const ours = connect((server.address() as AddressInfo).port, '127.0.0.1')
  const [qemu] = (await once(server, 'connection')) as [Socket]
  t.teardown(() => {
    ours.destroy()
    qemu.destroy()
    server.close()
  })
  let text = ''
  qemu.on('data', chunk => {
    text += String(chunk)
    const lines = text.split('\n')
    text = lines.pop() ?? ''
    for (const line of lines) {
      answer(JSON.parse(line), qemu)
    }
  })
  qemu.write(first)
  return { ours, qemu }
}

const obliging = (request: { id: number }, qemu: Socket): void => {
  qemu.write(`{"return": {"echo": ${request.id}}, "id": ${request.id}}\r\n`)
}

t.test('greeting, command mode, answers by id, events', async t => {
  const kept: { id: number; qemu: Socket }[] = []
  const { ours } = await peer(t, (request, qemu) => {
    if (request.execute === 'later') {
      kept.push({ id: request.id, qemu })
      return
    }
    qemu.write('{"event": "RESET", "data": {"guest": true}}\r\n')
    obliging(request, qemu)
    for (const late of kept.splice(0)) {
      obliging(late, late.qemu)
    }
  })
  const { client, version } = await QmpClient.open(ours, 'vm', limit, never)
  t.equal(version, '9.0.1')
  const events: string[] = []
  client.onEvent(({ name }) => events.push(name))
  const later = client.execute('later', {}, limit, never)
  const now = await client.execute('now', {}, limit, never)
  t.not(((await later) as { echo: number }).echo, (now as { echo: number }).echo)
  t.same(events, ['RESET'])
})

t.test('a refusal says what QEMU says', async t => {
  const { ours } = await peer(t, (request, qemu) => {
    if (request.execute === 'qmp_capabilities') {
      obliging(request, qemu)
    } else {
      qemu.write(`{"error": {"class": "GenericError", "desc": "not now"}, "id": ${request.id}}\r\n`)
    }
  })
  const { client } = await QmpClient.open(ours, 'vm', limit, never)
  await t.rejects(client.execute('stop', {}, limit, never), QmpRefusal)
  await t.rejects(client.execute('stop', {}, limit, never), { message: 'QEMU refused stop: not now' })
})

t.test('an end of the connection ends every wait', async t => {
  const { ours, qemu } = await peer(t, (request, from) => {
    if (request.execute === 'qmp_capabilities') {
      obliging(request, from)
    } else {
      qemu.destroy()
    }
  })
  const { client } = await QmpClient.open(ours, 'vm', limit, never)
  const lost = { name: 'InfraError', context: { cause: 'host', code: 'lost' } }
  await t.rejects(client.execute('quit', {}, limit, never), lost)
  await aborted(client.closed)
  await t.rejects(client.execute('again', {}, limit, never), lost)
})

t.test('silence and cancelling', async t => {
  const { ours } = await peer(t, (request, qemu) => {
    if (request.execute === 'qmp_capabilities') {
      obliging(request, qemu)
    }
  })
  const { client } = await QmpClient.open(ours, 'vm', limit, never)
  await t.rejects(client.execute('stop', {}, { name: 'brief', ms: 20 }, never), {
    message: /waited 20 ms for the answer to stop \(limit: brief\)/,
    context: { code: 'limit', limit: 'brief' },
  })
  const controller = new AbortController()
  const waiting = client.execute('stop', {}, limit, controller.signal)
  controller.abort()
  await t.rejects(waiting, { name: 'InfraError', context: { code: 'cancelled' } })
})

t.test('no greeting, no client', async t => {
  const { ours } = await peer(t, obliging, '{"hello": 1}\r\n')
  await t.rejects(QmpClient.open(ours, 'vm', { name: 'brief', ms: 20 }, never), {
    name: 'InfraError',
    context: { code: 'limit' },
  })
  t.ok(ours.destroyed)
})
