import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runInNewContext } from 'node:vm'
import type { Test } from 'tap'
import { InfraError } from '../../../config/errors.js'
import { defaultLimits } from '../../../config/limits.js'
import type { Guest } from '../../../config/model.js'
import { packageRoot } from '../../../config/package-root.js'
import type { CommandResult } from '../../../remote/index.js'
import type { Subject } from '../../contract.test.fixture.js'
import type { Driver, GuestRequest } from '../../driver.js'
import type { HyperVMachine } from '../ask.js'
import { createHyperVDriver } from '../driver.js'

/** A virtual machine of the played host. */
interface PlayedVm {
  id: string
  name: string
  state: number
  health: number
  notes: string
  marker: string
  resets: number
  starts?: number
  stops?: number
  told: [string, string][]
  disks: { type: string; number: number; location: number; path: string }[]
  nics: { mac: string; isStatic: boolean; port: string; legacy: boolean }[]
  snapshots: { id: string; name: string; state: number }[]
}

/** The host that `fixtures/hyperv/wmi-2008.js` plays: what its script sees, and alters. */
export interface PlayedWorld {
  vms: PlayedVm[]
  ports: { id: string; on: string }[]
  files: Record<string, string>
  folders: Record<string, number>
  neighbours: { ip: string; mac: string }[]
  asJobs: boolean
  failJob: string
  withoutNamespace: boolean
  withoutSha256: boolean
  /** Methods of WMI that were called. */
  calls: string[]
}

/** What plays WMI, in JScript's language of 2008. */
export const player = readFileSync(join(packageRoot, 'fixtures/hyperv/wmi-2008.js'), 'utf8')

/** The VM that instances are made after, and the clean disk. */
const template = '6D9F4A1E-0F0C-4F6F-9D5B-0A6F1F9A2B3C'
const disk = 'C:\\clean\\rhel5.vhd'
const port = '11111111-0000-4000-a000-000000000001'
const lab = '22222222-0000-4000-A000-000000000001'

/** A host of 2008 R2 with one VM that is off. */
export function newWorld(): PlayedWorld {
  const world = {
    host: {
      product: 'Windows Server 2008 R2 Standard',
      build: '7601',
      sku: 7,
      cpus: 8,
      memory: String(24 * 2 ** 30),
      folder: 'C:\\VMs',
      cpu: 'Intel(R) Xeon(R) CPU 5130',
    },
    switches: [{ id: lab, name: 'lab' }],
    ports: [{ id: port, on: lab }],
    vms: [
      {
        ...{ id: template, name: 'rhel5', state: 3, health: 5, notes: '', memory: 256, cpus: 2, scsi: 1 },
        ...{ component: true, resets: 0, marker: '', told: [], snapshots: [] },
        disks: [{ type: 'IDE', number: 0, location: 0, path: disk }],
        nics: [{ name: 'Network Adapter', mac: '00155DCC89B1', isStatic: false, legacy: false, port }],
      },
    ],
    ...{ neighbours: [], parents: {}, made: 0, calls: [] },
    ...{ asJobs: true, failJob: '', withoutNamespace: false, withoutSha256: false },
    files: { [disk]: 'VHD' },
    folders: { 'C:': 1, 'C:\\VMs': 1, 'C:\\clean': 1, 'C:\\ProgramData': 1 },
  }
  return world as PlayedWorld
}

/** How long is waited for what does not come: long enough for a busy machine. */
const waitMs = 2_000

/** Runs a script with its arguments on a played host, as cscript would; gives what it prints and the host afterwards. */
export function playScript(
  script: string,
  args: readonly string[],
  world: PlayedWorld,
): { readonly printed: string; readonly world: PlayedWorld } {
  const printed: string[] = []
  const sandbox = {
    WScript: {
      Arguments: { length: args.length, Item: (index: number) => args[index] },
      Echo: (line: string) => printed.push(`${line}\r\n`),
      Sleep: () => {},
    },
  }
  const program = `var gcWorld=${JSON.stringify(world)}\n${player}\n${script}\nJSON.stringify(gcWorld)`
  const after: unknown = runInNewContext(program, sandbox)
  return { printed: printed.join(''), world: JSON.parse(String(after)) as PlayedWorld }
}

export interface ScriptSubject extends Subject {
  readonly request: GuestRequest
  openDriver(): Driver
  /** Changes the script before it runs, from now on. */
  mutate(change: (script: string) => string): void
  change(alter: (world: PlayedWorld) => void): void
  read(): PlayedWorld
}

/** The driver on a played host: real scripts, in Node's JavaScript. */
export function startScriptHost(t: Pick<Test, 'teardown'>): ScriptSubject {
  let world = newWorld()
  let change = (script: string): string => script
  let listener = (_: number): void => {}
  let [heard, toRefuse] = [0, 0]
  const carried = new Map<string, string>()
  const open = async (): Promise<HyperVMachine> => ({
    label: 'hv-1',
    hostKey: 'SHA256:none',
    lost: new AbortController().signal,
    channels: 8,
    run: async (command, options) => {
      heard += 1
      listener(heard)
      toRefuse -= 1
      if (toRefuse === 0) {
        throw new InfraError('refused by the test', { cause: 'host', where: 'hv-1', code: 'command' })
      }
      if (options?.signal?.aborted === true) {
        throw new InfraError('cancelled', { cause: 'runner', where: 'hv-1', code: 'cancelled' })
      }
      if (/^if exist "[^"]*" del "[^"]*"$/.test(command)) {
        carried.clear()
        return resultOf('')
      }
      const [, file = '', words = ''] =
        /^%SystemRoot%\\System32\\cscript\.exe \/\/NoLogo \/\/E:JScript \/\/T:\d+ "([^"]*)" (.*)$/.exec(
          command,
        ) ?? []
      const script = carried.get(file)
      if (script === undefined) {
        throw new Error(`no script: ${command}`)
      }
      const played = playScript(change(script), words.split(' '), world)
      world = played.world
      return resultOf(played.printed)
    },
    forward: () => Promise.reject(new Error('no forwarding here')),
    close: async () => {},
    askHost: () => Promise.reject(new Error('no PowerShell here')),
    temporaryFolder: async () => 'C:\\Windows\\Temp',
    writeFile: async (path, content) =>
      void carried.set(path, content.toString('latin1').replaceAll('\r\n', '\n')),
  })
  const folder = mkdtempSync(join(tmpdir(), 'gc-hyperv-2008-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const openDriver = (): Driver => {
    const waits = ['command', 'start', 'shutdown', 'destroy', 'snapshot', 'storage', 'boot'] as const
    const limits = {
      ...Object.fromEntries(waits.map(name => [name, waitMs])),
      ...{ lookEvery: 1, watchEvery: 20 },
    }
    const driver = createHyperVDriver({
      host: { id: 'hv-1', product: 'hyper-v', version: '2008 R2', limits },
      connect: open,
    })
    t.teardown(() => driver.close())
    return driver
  }
  const instance = 'gc-20260101-000000-abcd-e1-1'
  const own = (): PlayedVm | undefined => world.vms.find(({ name }) => name === instance)
  return {
    driver: openDriver(),
    openDriver,
    request: {
      instance,
      guest: { id: 'rhel5', product: 'rhel', version: '5.11' } as Guest,
      placement: {
        host: 'hv-1',
        place: { file: '/lab.yaml', line: 1, column: 1 },
        vm: 'rhel5',
        clean: { kind: 'overlay', path: disk },
        viaHost: true,
        configuration: { name: 'test', generation: 1, disk: 'ide', nic: 'synthetic', vcpus: 2 },
      },
      evidenceFolder: folder,
      limits: { ...defaultLimits, boot: 2 * waitMs },
    },
    left: async () => [
      ...world.vms.filter(({ id }) => id !== template).map(({ name }) => name),
      ...world.ports.filter(({ id }) => id !== port).map(({ id }) => `port ${id}`),
      ...Object.keys(world.folders).filter(path => path.startsWith('C:\\VMs\\guestcert\\')),
      ...Object.keys(world.files).filter(path => path.startsWith('C:\\VMs\\') || path.includes('claims')),
    ],
    onCommand: told => {
      heard = 0
      listener = told
    },
    refuse: number => {
      toRefuse = number
    },
    end: async () => {
      const vm = own()
      if (vm !== undefined) {
        vm.state = 3
      }
    },
    showsRestarts: false,
    restart: async () => {
      const vm = own()
      if (vm !== undefined) {
        vm.state = 2
      }
    },
    mutate: by => {
      change = by
    },
    change: alter => alter(world),
    read: () => world,
  }
}

function resultOf(text: string): CommandResult {
  const output = (said: string) => ({
    text: said,
    bytes: Buffer.from(said),
    totalBytes: said.length,
    truncated: false,
  })
  return {
    exit: { kind: 'code', code: 0 },
    stdout: output(text),
    stderr: output(''),
    durationMs: 0,
    undrained: false,
  }
}
