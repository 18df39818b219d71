import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'
import { defaultLimits } from '../../config/limits.js'
import type { CleanState, Guest, Host, Login } from '../../config/model.js'
import { buildImage } from '../../lab/images/build.js'
import { loadRecipe } from '../../lab/images/recipe.js'
import { connectWithRetries, type Machine } from '../../remote/index.js'
import { freePort, startOpenSsh } from '../../remote/openssh.test.fixture.js'
import type { GuestRequest, RunningGuest } from '../driver.js'
import { defaultCacheFolder } from '../shared/cache.js'
import { startDaemons } from './daemons.test.fixture.js'
import { type DebianVm, defineDebianVm } from './debian.test.fixture.js'
import { createLibvirtDriver, type LibvirtDriver } from './driver.js'
import { libvirtModule } from './module.js'
import type { LeftInstance } from './orphans.js'

/** A real libvirt behind a real SSH server, with a Debian VM: taken away when the test ends. */
export interface RealHost {
  readonly vm: DebianVm
  readonly run: string
  readonly host: Host
  openDriver(host?: Host): LibvirtDriver
  requestFor(number: number, clean: CleanState, vm?: string): Promise<GuestRequest>
  /** Logs in to the guest, inside the host's connection, and runs commands; closes at the end of the work. */
  inGuest(running: RunningGuest, command: string): Promise<string>
  /** What this test has made: other runs may use the same host. */
  instances(driver: LibvirtDriver): Promise<LeftInstance[]>
  /** The files of instances beside the clean disk. */
  instanceFiles(): Promise<string[]>
}

export const never: AbortSignal = new AbortController().signal
export const bootIdCommand = 'cat /proc/sys/kernel/random/boot_id'
export const uuidPattern = /^[0-9a-f-]{36}$/
const place = { file: '/lab.yaml', line: 1, column: 1 }

export interface RealHostOptions {
  /** The VM's; one, if absent. */
  readonly vcpus?: number
  /** Lines of libvirt's `qemu.conf`. */
  readonly settings?: readonly string[]
  /** Another host, which guests may be moved to. */
  readonly second?: Host
}

export async function startRealHost(
  t: Pick<Test, 'teardown'>,
  { vcpus = 1, settings = [], second }: RealHostOptions = {},
): Promise<RealHost> {
  const run = `test${process.pid}`
  const name = `gctest-${process.pid}`
  const folder = `/var/lib/libvirt/images/${name}`
  const daemons = await startDaemons(settings)
  t.teardown(() => daemons.close())
  const recipe = await loadRecipe('debian')
  const image = await buildImage(recipe, { cacheFolder: defaultCacheFolder(), signal: never })
  const port = await freePort()
  const vm = await defineDebianVm({ name, image, folder, port, vcpus })
  t.teardown(() => vm.remove())
  const ssh = await startOpenSsh()
  t.teardown(() => ssh.close())
  const login: Login = {
    user: 'root',
    key: { kind: 'file', path: image.keyPath },
    algorithms: 'modern',
    hostKey: { kind: 'pinned', fingerprint: image.hostKey },
  }
  const guest = debian(login)
  const host: Host = {
    id: 'kvm-1',
    place,
    product: 'debian-kvm',
    version: '12',
    driver: libvirtModule,
    connect: { endpoint: { host: '127.0.0.1', port: ssh.port, jumps: [] }, login: ssh.login() },
    capacity: { guests: 1, vcpus, memoryBytes: 2 ** 30, locks: [] },
  }
  return {
    vm,
    run,
    host,
    openDriver: (other = host) => {
      const driver = createLibvirtDriver({
        host: other,
        second: id => (id === second?.id ? second : undefined),
        // Both hosts are this machine, and its file system is not a shared one to libvirt.
        unsafeMigration: true,
      })
      t.teardown(() => driver.close())
      return driver
    },
    requestFor: async (number, clean, vmName = name) => {
      const evidenceFolder = await mkdtemp(join(tmpdir(), 'guestcert-evidence-'))
      t.teardown(() => rm(evidenceFolder, { recursive: true, force: true }))
      const endpoint = { host: '127.0.0.1', port, jumps: [] }
      const configuration = { ...hardware, vcpus }
      const away = second === undefined ? {} : { migratesTo: second.id }
      const base = {
        host: host.id,
        place,
        vm: vmName,
        endpoint,
        clean,
        viaHost: true,
        configuration,
        ...away,
      }
      return {
        instance: `gc-${run}-e1-${number}`,
        guest,
        placement: base,
        evidenceFolder,
        limits: defaultLimits,
      }
    },
    inGuest: async (running, command) => {
      const machine = await logIn(running, login)
      try {
        const { exit, stdout, stderr } = await machine.run(command)
        return exit.kind === 'code' && exit.code === 0 ? stdout.text.trim() : `${exit.kind}: ${stderr.text}`
      } finally {
        await machine.close()
      }
    },
    instances: async driver => {
      const found = await driver.instances(never)
      return found.filter(instance => instance.run === run).sort((a, b) => a.number - b.number)
    },
    instanceFiles: async () => (await readdir(folder)).filter(file => file.startsWith('gc-')),
  }
}

const hardware = {
  name: 'test',
  memoryBytes: 256 * 2 ** 20,
  firmware: 'bios',
  disk: 'virtio-blk',
} as const

async function logIn(running: RunningGuest, login: Login): Promise<Machine> {
  const { endpoint, via } = await running.access(never)
  return connectWithRetries({
    endpoint,
    login,
    label: 'the guest',
    limits: defaultLimits,
    signal: running.gone,
    ...(via === undefined ? {} : { via }),
  })
}

function debian(login: Login): Guest {
  return {
    id: 'debian',
    place,
    product: 'debian',
    version: '12',
    arch: 'x86_64',
    family: 'linux',
    shell: 'posix',
    login,
    tags: [],
    reboot: null,
    on: [],
  }
}
