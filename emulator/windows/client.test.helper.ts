import { setTimeout as wait } from 'node:timers/promises'
import ssh2 from 'ssh2'
import { type EmulatedGuest, startEmulatedGuest } from '../guest.js'
import type { EmulatedGuestSpec } from '../spec.js'

/** How long a guest may take to boot, in ms. */
const bootLimitMs = 120_000

export interface Answer {
  readonly code: number | undefined
  readonly stdout: Buffer
  readonly stderr: string
}

/** A Windows guest that runs, and a client that is logged in. */
export interface Session {
  readonly guest: EmulatedGuest
  run(command: string, input?: string): Promise<Answer>
  /** Standard output alone, with line ends `\n`. */
  text(command: string): Promise<string>
  reconnect(): Promise<void>
  close(): Promise<void>
}

/** Starts a persona and logs in with the algorithms that its server has. */
export async function startWindows(
  persona: string,
  platform = 'rhel-9-kvm',
  firmware: 'bios' | 'uefi' = 'bios',
  faults: NonNullable<EmulatedGuestSpec['faults']> = {},
): Promise<Session> {
  const guest = await startEmulatedGuest({
    name: 'win-1',
    persona,
    personaFolders: ['fixtures/personas'],
    platform,
    hardware: { vcpus: 2, memoryBytes: 4 * 2 ** 30, firmware },
    users: [{ name: 'Administrator', password: 'secret' }],
    faults,
  })
  let client = await logIn(guest)
  const run = (command: string, input = ''): Promise<Answer> =>
    new Promise((resolve, reject) => {
      client.exec(command, (error, channel) => {
        if (error) return reject(error)
        const [out, err]: [Buffer[], Buffer[]] = [[], []]
        let code: number | undefined
        channel.on('data', (chunk: Buffer) => out.push(chunk))
        channel.stderr.on('data', (chunk: Buffer) => err.push(chunk))
        channel.on('exit', (it: number | null) => (code = it ?? undefined))
        channel.on('close', () =>
          resolve({ code, stdout: Buffer.concat(out), stderr: Buffer.concat(err).toString('latin1') }),
        )
        channel.end(input)
      })
    })
  return {
    guest,
    run,
    text: async command => (await run(command)).stdout.toString('latin1').replace(/\r+\n/g, '\n'),
    reconnect: async () => {
      client = await logIn(guest)
    },
    close: async () => {
      client.end()
      await guest.close()
    },
  }
}

async function logIn(guest: EmulatedGuest): Promise<ssh2.Client> {
  for (const until = performance.now() + bootLimitMs; guest.state !== 'running'; await wait(20))
    if (performance.now() > until) throw new Error(`${guest.name} did not boot in ${bootLimitMs} ms`)
  const client = new ssh2.Client()
  client.on('error', () => {})
  const { algorithms } = guest.persona.ssh
  await new Promise<void>((resolve, reject) => {
    client.once('ready', resolve).once('error', reject)
    client.connect({
      host: guest.host,
      port: guest.port,
      username: 'Administrator',
      password: 'secret',
      // The oldest servers have nothing that ssh2 offers by itself.
      algorithms: algorithms as NonNullable<ssh2.ConnectConfig['algorithms']>,
    })
  })
  return client
}
