import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'
import { defaultLimits } from '../../config/limits.js'
import type { CleanState, Guest, Host, Placement } from '../../config/model.js'
import type { CommandResult, Machine } from '../../remote/index.js'
import type { Driver, GuestRequest } from '../driver.js'
import { hostLimits } from '../limit.js'
import { ManagedVm } from '../managed-vm.js'
import { type CountedMachine, countedMachine, localMachine } from '../shared/local-machine.test.fixture.js'
import { createXenServerDriver } from './driver.js'
import { FakePool } from './fake-pool.test.fixture.js'
import { runXe, type Said } from './fake-xe.test.fixture.js'

export const signal: AbortSignal = new AbortController().signal
export const instance = 'gc-20260101-000000-abcd-e1-1'

const cut = /&&echo --guestcert--&&/

/** What the test does to a command before the host has it; `null` leaves it. */
export type Alter = (words: readonly string[]) => readonly string[] | null

/** A member of a fake pool over "SSH": `xe` is the pool's, all else a real shell's. */
export function memberOf(pool: FakePool, uuid: string, home: string, alter: Alter = () => null): Machine {
  const shell = localMachine('/nowhere', home)
  return {
    ...shell,
    run: async (command, options) => {
      if (command === '. /etc/xensource-inventory&&echo "$INSTALLATION_UUID"') {
        return result({ code: 0, stdout: `${uuid}\n`, stderr: '' })
      }
      if (/ xl trigger \d+ nmi$/.test(command)) {
        return result({ code: 0, stdout: '', stderr: '' })
      }
      if (!/^PATH=\$PATH:\/opt\/xensource\/bin xe /.test(command)) {
        return shell.run(command, options)
      }
      let stdout = ''
      for (const [index, part] of command.split(cut).entries()) {
        const words = wordsOf(part).slice(2)
        const said = runXe(pool, alter(words) ?? words)
        stdout += (index === 0 ? '' : '--guestcert--\n') + said.stdout
        if (said.code !== 0) {
          return result({ ...said, stdout })
        }
      }
      return result({ code: 0, stdout, stderr: '' })
    },
  }
}

/** The words of a simple shell command, of which some are in single quotes. */
function wordsOf(command: string): string[] {
  const words = command.match(/(?:[^\s']|'[^']*')+/g) ?? []
  return words.map(word => word.replace(/'/g, ''))
}

function result({ code, stdout, stderr }: Said): CommandResult {
  const output = (text: string): CommandResult['stdout'] => {
    const bytes = Buffer.from(text)
    return { text, bytes, totalBytes: bytes.length, truncated: false }
  }
  return {
    exit: { kind: 'code', code },
    stdout: output(stdout),
    stderr: output(stderr),
    durationMs: 0,
    undrained: false,
  }
}

export interface FakeHost {
  readonly pool: FakePool
  readonly driver: Driver
  readonly counted: CountedMachine
  readonly folder: string
  /** Another runner's driver for the same host. */
  openDriver(): Driver
}

const limits = hostLimits({
  start: 300,
  shutdown: 150,
  unplug: 150,
  destroy: 300,
  migrate: 300,
  command: 2000,
  lookEvery: 5,
  watchEvery: 50,
  restart: 30,
})

/** A pool of two members, of which the driver logs in to the first, with a VM, a snapshot and a template. */
export async function startHost(t: Test, alter?: Alter): Promise<FakeHost> {
  const folder = await mkdtemp(join(tmpdir(), 'gc-xenserver-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  const pool = new FakePool()
  // Another machine comes first in every list, on other storage and another network, with a snapshot of the same name.
  for (const [name, sr] of [
    ['other', pool.srs[0]],
    ['rhel9', pool.srs[1]],
  ] as const) {
    const vm = pool.addVm(name, {}, sr?.uuid)
    pool.run(vm, pool.hostNamed('xs-1'))
    runXe(pool, ['vm-checkpoint', `uuid=${vm.uuid}`, 'new-name-label=sealed'])
    pool.halt(vm)
    pool.diskOf(vm).content = 'written since'
  }
  pool.addVm('golden', { 'is-a-template': 'true' })
  for (const name of ['home', 'evidence']) await mkdir(join(folder, name))
  const [first, second] = ['xs-1', 'xs-2'].map(name =>
    memberOf(pool, pool.hostNamed(name), join(folder, 'home'), alter),
  ) as [Machine, Machine]
  const counted = countedMachine(first)
  const described = { product: 'xenserver', version: '8.2', limits: {} }
  const openDriver = (): Driver => {
    const driver = createXenServerDriver({
      host: { id: 'xs-1', ...described },
      second: id => (id === 'xs-2' ? ({ id, ...described } as unknown as Host) : undefined),
      limits,
      manage: (backend, request) => new ManagedVm(backend, request),
      connect: async (_signal, id) => (id === 'xs-1' ? counted.machine : second),
    })
    t.teardown(() => driver.close())
    return driver
  }
  return { pool, driver: openDriver(), counted, folder, openDriver }
}

export function requestFor(
  folder: string,
  clean: CleanState = { kind: 'overlay', path: 'sealed' },
  more: Partial<Placement> = {},
): GuestRequest {
  return {
    instance,
    guest: { id: 'rhel9', product: 'rhel', version: '9.6' } as Guest,
    placement: {
      host: 'xs-1',
      place: { file: '/lab.yaml', line: 1, column: 1 },
      vm: 'rhel9',
      clean,
      viaHost: true,
      migratesTo: 'xs-2',
      configuration: { name: 'test', mode: 'pv', memoryBytes: 256 * 2 ** 20 },
      ...more,
    },
    evidenceFolder: join(folder, 'evidence'),
    limits: defaultLimits,
  }
}
