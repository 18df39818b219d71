import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'
import { loadLab } from '../src/config/load.js'
import type { Placement } from '../src/config/model.js'
import type { GuestRequest, RunningGuest } from '../src/hypervisors/driver.js'
import { driverSource } from '../src/hypervisors/registry.js'
import { defaultCacheFolder } from '../src/hypervisors/shared/cache.js'
import { createXlDriver, type XlDriver } from '../src/hypervisors/xl/driver.js'
import { connectWithRetries } from '../src/remote/index.js'

export const never: AbortSignal = new AbortController().signal

/** A guest that is logged in to. */
export interface LoggedIn {
  /** Runs a command; resolves to what it wrote, or to how it failed. */
  run(command: string): Promise<string>
  /** Before the connection breaks by what is done to the guest. */
  close(): Promise<void>
}

/** The host of fixtures/labs/xen-debian.yaml, which must be up. */
export interface XenHost {
  /** Goes with the test. */
  readonly driver: XlDriver
  /** Runs a command on the host, which must succeed. */
  onHost(command: string): Promise<string>
  /** Waits until the guest can be logged in to, inside the host's connection. Here a login takes seconds. */
  logIn(running: RunningGuest): Promise<LoggedIn>
  /** The lab's guest as an instance of that name, with some of its placement otherwise. */
  requestFor(instance: string, other: Partial<Placement>): Promise<GuestRequest>
}

export async function openXenHost(t: Pick<Test, 'teardown'>, labFile: string): Promise<XenHost> {
  const { hosts, guests, limits } = await loadLab(labFile, driverSource)
  const host = hosts.get('xen-1')
  const guest = guests.get('debian-12')
  const [placement] = guest?.on ?? []
  if (host === undefined || guest === undefined || placement === undefined) {
    throw new Error(`${labFile} has no host xen-1 with a guest debian-12`)
  }
  const driver = createXlDriver({ host, cacheFolder: defaultCacheFolder() })
  t.teardown(() => driver.close())
  return {
    driver,
    onHost: async command => {
      const { exit, stdout, stderr } = await (await machineOf(driver)).run(command, {
        limitMs: limits.command,
      })
      if (exit.kind !== 'code' || exit.code !== 0) {
        throw new Error(`${command}: ${JSON.stringify(exit)}: ${stderr.text}`)
      }
      return stdout.text
    },
    logIn: async running => {
      const { endpoint, via, keyPath, hostKey } = await running.access(never)
      const image = {
        ...(keyPath === undefined ? {} : { keyPath }),
        ...(hostKey === undefined ? {} : { hostKey }),
      }
      const machine = await connectWithRetries({
        endpoint,
        login: guest.login,
        label: 'the guest',
        limits,
        image,
        signal: running.gone,
        ...(via === undefined ? {} : { via }),
      })
      return {
        run: async command => {
          const { exit, stdout, stderr } = await machine.run(command, { limitMs: limits.command })
          return exit.kind === 'code' && exit.code === 0
            ? stdout.text.trim()
            : `${JSON.stringify(exit)}: ${stderr.text}`
        },
        close: () => machine.close(),
      }
    },
    requestFor: async (instance, other) => {
      const evidenceFolder = await mkdtemp(join(tmpdir(), 'guestcert-evidence-'))
      t.teardown(() => rm(evidenceFolder, { recursive: true, force: true }))
      return { instance, guest, placement: { ...placement, ...other }, evidenceFolder, limits }
    },
  }
}

async function machineOf(driver: XlDriver) {
  const machine = await driver.machine?.(never)
  if (machine === undefined) {
    throw new Error('the driver has no machine')
  }
  return machine
}
