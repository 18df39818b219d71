import type { Test } from 'tap'
import { type Client, clientKey, connect, connectThrough } from '../client.test.helper.js'
import { personaFolder } from '../harness.test.helper.js'
import type { EmulatedHostSpec } from '../spec.js'
import { type EmulatedHost, startEmulatedHost } from './host.js'

export const users = [{ name: 'root', authorizedKeys: [clientKey.public] }]

/** A host that was started for a test, and who is logged in to it. */
export interface Stand {
  readonly host: EmulatedHost
  readonly client: Client
  /** Runs a command on the host: standard output, standard error and exit code. */
  run(command: string): Promise<readonly [string, string, number | null | undefined]>
  /** Runs a command in a guest, through the host, and gives what it printed. */
  inGuest(address: string, command: string, user?: string): Promise<string>
}

/** Starts a host of RHEL 9 with KVM, unless the test wants another. */
export async function stand(t: Test, more: Partial<EmulatedHostSpec> = {}): Promise<Stand> {
  const host = await startEmulatedHost({
    name: 'kvm-1',
    persona: 'rhel-9-kvm',
    personaFolders: [personaFolder],
    users,
    vms: [],
    ...more,
  })
  t.teardown(() => host.close())
  return standOn(t, host)
}

/** Logs in to a host that runs. */
export async function standOn(t: Test, host: EmulatedHost): Promise<Stand> {
  const client = await connect(host.machine)
  t.teardown(() => client.end())
  return {
    host,
    client,
    run: async command => {
      const { stdout, stderr, code } = await client.run(command)
      return [stdout, stderr, code]
    },
    inGuest: async (address, command, user) => {
      const guest = await connectThrough(client, host.machine, address, user)
      const { stdout } = await guest.run(command)
      guest.end()
      return stdout
    },
  }
}

const lease = /192\.168\.122\.\d+(?=\/24)/

/** Waits until a domain has an address, and gives it. */
export async function addressOf({ run }: Stand, domain = 'deb'): Promise<string> {
  let found: string | undefined
  for (let tries = 0; found === undefined && tries < 300; tries++) {
    const [text] = await run(`virsh domifaddr ${domain}; sleep 0.2`)
    found = lease.exec(text)?.[0]
  }
  if (found === undefined) throw new Error(`${domain} has no address`)
  return found
}
