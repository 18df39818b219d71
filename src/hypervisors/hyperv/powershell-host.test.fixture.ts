import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { PassThrough } from 'node:stream'
import type { Test } from 'tap'
import { InfraError } from '../../config/errors.js'
import { defaultLimits } from '../../config/limits.js'
import type { CleanState, Configuration, Guest } from '../../config/model.js'
import { packageRoot } from '../../config/package-root.js'
import { registryFunction } from '../../remote/index.js'
import { encodedArgs, killPwsh, startPwsh } from '../../remote/shells/windows/pwsh.test.fixture.js'
import { hostService, PowerShellService } from '../../remote/shells/windows/service.js'
import type { Subject } from '../contract.test.fixture.js'
import type { Driver, GuestRequest } from '../driver.js'
import type { HyperVMachine } from './ask.js'
import { createHyperVDriver } from './driver.js'
import { pathFunction } from './texts/text.js'

/** A version of Windows Server, and how its registry calls it. */
export const played = {
  '2012': { build: 9200, product: 'Windows Server 2012 Datacenter' },
  '2012 R2': { build: 9600, product: 'Windows Server 2012 R2 Standard' },
  '2016': { build: 14393, product: 'Windows Server 2016 Standard' },
  '2019': { build: 17763, product: 'Windows Server 2019 Standard' },
  '2022': { build: 20348, product: 'Windows Server 2022 Standard' },
  '2025': { build: 26100, product: 'Windows Server 2025 Standard' },
} as const

export type Played = keyof typeof played

export const instance = 'gc-20260101-000000-abcd-e1-1'
const place = { file: '/lab.yaml', line: 1, column: 1 }

/** What the modules in fixtures/hyperv keep of a virtual machine, as far as tests look at it. */
export interface PlayedVm {
  name: string
  state: string
  notes: string
  [key: string]: unknown
}

/** The file that the modules keep their host in. */
export interface PlayedHost {
  version: Played
  vms: PlayedVm[]
  neighbours: { mac: string; address: string }[]
  faults: Record<string, unknown>
  [key: string]: unknown
}

export interface HostOptions {
  readonly version?: Played
  readonly generation?: 1 | 2
  readonly clean?: CleanState
  readonly configuration?: Partial<Configuration>
}

export interface PowerShellSubject extends Subject {
  readonly driver: Driver
  readonly request: GuestRequest
  /** Another runner's driver for the same host. */
  openDriver(): Driver
  /** Changes every text before it is sent, from now on. */
  mutate(change: (text: string) => string): void
  /** Makes the host what it was at first. */
  reset(): void
  read(): PlayedHost
  change(alter: (host: PlayedHost) => void): void
}

/** A text as it can run on Linux, where .NET has no registry, drive C: is a folder, and a move may replace a file. */
export function onLinux(line: string): string {
  return line
    .replace(registryFunction, 'function Gc-Hive($n){Get-HostHive}')
    .replace(pathFunction, 'function Gc-Path($p){Get-HostPath $p}')
    .replace('[IO.File]::Move($tmp,(Gc-File $next))', 'Move-HostFile $tmp (Gc-File $next)')
}

/** Makes the folder of a host: its file, and its drive C:. */
export function makeHost(folder: string, version: Played, generation: 1 | 2): string {
  const file = join(folder, 'host.json')
  const disk = 'C:\\clean\\rhel9.vhdx'
  mkdirSync(join(folder, 'c/clean'), { recursive: true })
  mkdirSync(join(folder, 'c/VMs'), { recursive: true })
  writeFileSync(join(folder, 'c/clean/rhel9.vhdx'), 'VHDX\n\n')
  const { build, product } = played[version]
  const host = {
    version,
    macs: 0,
    faults: {},
    switches: ['lab'],
    neighbours: [],
    host: {
      name: 'HV01.lab.example',
      cpus: 16,
      memory: 64 * 2 ** 30,
      folder: 'C:\\VMs',
      cpu: 'Intel(R) Xeon(R) Gold 6130',
      product,
      build,
      revision: 1,
      guestAddresses: ['192.0.2.16', 'fe80::215:5dff:fecc:89b2'],
    },
    vms: [
      {
        id: '6d9f4a1e-0f0c-4f6f-9d5b-0a6f1f9a2b3c',
        name: 'rhel9',
        state: 'Off',
        generation,
        startup: 2 ** 28,
        cpus: 2,
        dynamic: false,
        path: 'C:\\VMs\\rhel9',
        notes: '',
        clustered: false,
        checkpointType: 'Production',
        secureBoot: 'Off',
        template: 'MicrosoftUEFICertificateAuthority',
        integration: true,
        scsi: 1,
        snapshots: [],
        disks: [{ type: generation === 2 ? 'SCSI' : 'IDE', number: 0, location: 0, path: disk }],
        nics: [
          {
            id: 'nic-1',
            name: 'Network Adapter',
            mac: '00155DCC89B1',
            switch: 'lab',
            legacy: false,
            static: false,
            addresses: [],
          },
        ],
      },
    ],
  }
  writeFileSync(file, JSON.stringify(host))
  return file
}

/** A Hyper-V host that a real PowerShell plays with the modules in fixtures/hyperv. */
export async function startPowerShellHost(t: Test, options: HostOptions = {}): Promise<PowerShellSubject> {
  const { version = '2022', generation = 2 } = options
  const folder = t.testdir()
  const file = makeHost(folder, version, generation)
  const read = (): PlayedHost => JSON.parse(readFileSync(file, 'utf8')) as PlayedHost
  const change = (alter: (host: PlayedHost) => void): void => {
    const host = read()
    alter(host)
    writeFileSync(`${file}.test`, JSON.stringify(host))
    renameSync(`${file}.test`, file)
  }
  let mutated = (text: string): string => text
  const first = read()
  let listener = (_: number): void => {}
  let [heard, toRefuse] = [0, 0]
  // One PowerShell for all drivers of a test: a start takes seconds.
  const opening = connectToPowerShell(file, async (text, go) => {
    heard += 1
    listener(heard)
    toRefuse -= 1
    if (toRefuse === 0) {
      throw new InfraError('refused by the test', { cause: 'host', where: 'hv-1', code: 'command' })
    }
    return go(mutated(text))
  })
  t.teardown(async () => (await opening).close())
  const connect = async (): Promise<HyperVMachine> => ({ ...(await opening), close: async () => {} })
  const openDriver = (): Driver => {
    const limits = {
      shutdown: 2_000,
      // A text that was changed may leave a machine on: it is waited for again and again.
      destroy: 20_000,
      lookEvery: 10,
      watchEvery: 300,
      unplug: 2_000,
      snapshot: 5_000,
      storage: 5_000,
    }
    const driver = createHyperVDriver({ host: { id: 'hv-1', product: 'hyper-v', version, limits }, connect })
    t.teardown(() => driver.close())
    return driver
  }
  const clean = options.clean ?? { kind: 'overlay', path: 'C:\\clean\\rhel9.vhdx' }
  const left = async (): Promise<string[]> => [
    ...read().vms.flatMap(({ name }) => (name.startsWith('gc-') ? [name] : [])),
    ...filesBelow(join(folder, 'c/VMs/guestcert')),
    ...filesBelow(join(folder, 'c/ProgramData/guestcert/claims')),
  ]
  const setState = async (state: string): Promise<void> =>
    change(host => {
      for (const vm of host.vms) {
        vm.state = vm.name === instance ? state : vm.state
      }
    })
  return {
    driver: openDriver(),
    openDriver,
    request: {
      instance,
      guest: { id: 'rhel9', product: 'rhel', version: '9' } as Guest,
      placement: {
        host: 'hv-1',
        place,
        vm: 'rhel9',
        clean,
        viaHost: false,
        configuration: { name: 'test', generation, ...options.configuration },
      },
      evidenceFolder: join(folder, 'evidence'),
      limits: { ...defaultLimits, boot: 5_000 },
    },
    mutate: alter => {
      mutated = alter
    },
    reset: () => {
      rmSync(join(folder, 'c/VMs/guestcert'), { recursive: true, force: true })
      rmSync(join(folder, 'c/ProgramData'), { recursive: true, force: true })
      writeFileSync(file, JSON.stringify(first))
    },
    read,
    change,
    left,
    onCommand: told => {
      heard = 0
      listener = told
    },
    refuse: number => {
      toRefuse = number
    },
    end: () => setState('Off'),
    showsRestarts: false,
    restart: () => setState('Running'),
  }
}

function filesBelow(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

type Wrap = (
  text: string,
  go: (text: string) => Promise<Awaited<ReturnType<HyperVMachine['askHost']>>>,
) => Promise<Awaited<ReturnType<HyperVMachine['askHost']>>>

async function connectToPowerShell(file: string, wrap: Wrap): Promise<HyperVMachine> {
  const modules = join(packageRoot, 'fixtures/hyperv/modules')
  let child: ReturnType<typeof startPwsh> | null = null
  const lost = new AbortController()
  const service = await PowerShellService.start(
    'hv-1',
    async (command, { stdin, onStdout }) => {
      const started = startPwsh(encodedArgs(command.split(' ').at(-1) ?? ''), {
        PSModulePath: modules,
        GC_HYPERV: file,
        ProgramData: 'C:\\ProgramData',
      })
      child = started
      const errors: Buffer[] = []
      started.stdin?.on('error', () => {})
      const lines = createInterface({ input: stdin as PassThrough })
      lines.on('line', line => started.stdin?.write(`${onLinux(line)}\n`))
      lines.on('close', () => started.stdin?.end())
      started.stdout?.on('data', (chunk: Buffer) => void onStdout?.(chunk))
      started.stderr?.on('data', (chunk: Buffer) => errors.push(chunk))
      return new Promise(resolve => {
        started.once('close', code => {
          const text = Buffer.concat(errors).toString()
          const output = { text, bytes: Buffer.alloc(0), totalBytes: 0, truncated: false }
          resolve({
            exit: { kind: 'code', code: code ?? -1 },
            stdout: { ...output, text: '' },
            stderr: output,
            durationMs: 0,
            undrained: false,
          })
        })
      })
    },
    120_000,
    hostService,
  )
  return {
    label: 'hv-1',
    hostKey: 'SHA256:none',
    lost: lost.signal,
    channels: 8,
    askHost: ([columns, text, ...args], options) =>
      wrap(text, sent => service.ask([columns, sent, ...args], options)),
    run: () => Promise.reject(new Error('no cmd here')),
    temporaryFolder: () => Promise.reject(new Error('no files here')),
    writeFile: () => Promise.reject(new Error('no files here')),
    forward: () => Promise.reject(new Error('no forwarding here')),
    close: async () => {
      lost.abort()
      service.end()
      if (child !== null) {
        killPwsh(child)
      }
    },
  }
}
