import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { writeLab } from './lab.js'
import { bare, compare, measureRun } from './measure.js'
import type { Servers } from './sshd.js'

const guests = 20
const parallel = 20
const testsEach = 20
const oneWayMs = 10

/** The same work on guests that are 20 ms of round trip away: what counts is how often it is waited for an answer. */
export async function benchRoundTrips(servers: Servers, print: (line: string) => void): Promise<void> {
  const near = servers.addresses.slice(0, guests)
  const far = { ...servers, addresses: near.map(address => address.replace(/^127[.]0[.]1[.]/, '127.0.2.')) }
  const pairs = far.addresses.map((address, index) => `${address}=${near[index]}`)
  const relay = spawn(
    process.execPath,
    ['dist/bench/relay.js', String(oneWayMs), String(servers.port), ...pairs],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
  try {
    await once(relay.stdout, 'data')
    const lab = join(servers.folder, 'far')
    const several = join(servers.folder, 'far-several')
    const scripts = await writeLab({ folder: lab, servers: far, guests, testsEach, kind: 'script' })
    await writeLab({ folder: several, servers: far, guests, testsEach, kind: 'parallel' })
    const commands = scripts.map(path => `sh ${path}`)
    const loop = { servers: far, folder: lab, guests, parallel, commands }
    const passes = guests * (testsEach + 1)
    await compare(
      {
        ways: {
          'bare ssh2 loop': bare({ ...loop, isPrompt: false }),
          'the same, TCP_NODELAY': bare({ ...loop, isPrompt: true }),
          guestcert: () => measureRun(lab, parallel, passes),
          'guestcert, four at once': () => measureRun(several, parallel, passes),
        },
        servers,
        tests: guests * testsEach,
      },
      print,
    )
  } finally {
    const ended = once(relay, 'exit')
    relay.kill()
    await ended
  }
}
