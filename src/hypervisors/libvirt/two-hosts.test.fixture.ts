import { chmod, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'
import { defaultLimits } from '../../config/limits.js'
import type { Guest, Host } from '../../config/model.js'
import type { Machine } from '../../remote/index.js'
import type { GuestRequest } from '../driver.js'
import { type CountedMachine, countedMachine, localMachine } from '../shared/local-machine.test.fixture.js'
import { createLibvirtDriver, type LibvirtDriver } from './driver.js'
import { libvirtModule } from './module.js'

/**
 * virsh of today for two hosts on this machine, each a folder with a file for the definition and one for the state of
 * each domain. Its words are those of virsh 9.0.0, which the real tests hear. `peer` is the other host's folder;
 * `fault` is what goes wrong with the next move.
 */
const virsh = `#!/bin/sh
home=$(dirname "$0"); peer=$(cat "$home/peer")
folder() { case $1 in qemu:///*) echo "$home" ;; *) echo "$peer" ;; esac; }
cd "$(folder "$2")" || exit 9
shift 2
echo "$*" >>log
options=; words=
for word in "$@"; do case $word in --*) options="$options $word" ;; *) words="$words $word" ;; esac; done
set -- $words
need() { [ -e "$1.state" ] || { echo "error: failed to get domain '$1'" >&2; exit 1; }; }
case $1 in
  version) printf 'Compiled against library: libvirt 9.0.0\\nUsing library: libvirt 9.0.0\\nUsing API: QEMU 9.0.0\\nRunning hypervisor: QEMU 7.2.22\\n\\n' ;;
  list) printf ' Id   Name   State\\n--------------------\\n'
    for file in *.state; do [ -e "$file" ] && printf ' -    %s   %s\\n' "\${file%.state}" "$(sed 's/ (.*//' "$file")"; done; echo ;;
  domstate) need "$2"; cat "$2.state" ;;
  dumpxml) need "$2"; cat "$2.xml" ;;
  define) name=$(sed -n 's,.*<name>\\(.*\\)</name>.*,\\1,p' "$2"); cat "$2" >"$name.xml"; echo 'shut off (unknown)' >"$name.state" ;;
  undefine) need "$2"; rm -f "$2.xml" "$2.state" "$2".snapshot.* ;;
  start) need "$2"; sed -i "s/^<domain type='kvm'[^>]*>/<domain type='kvm' id='1'>/" "$2.xml"; echo 'running (booted)' >"$2.state"; echo '2 262144' >"$2.info" ;;
  shutdown) need "$2"; [ -e stubborn ] || echo 'shut off (shutdown)' >"$2.state" ;;
  destroy) need "$2"; echo 'shut off (destroyed)' >"$2.state" ;;
  dominfo) need "$2"; read -r cpus memory <"$2.info"
    printf 'Id:             1\\nName:           %s\\nState:          running\\nCPU(s):         %s\\nMax memory:     262144 KiB\\nUsed memory:    %s KiB\\n\\n' "$2" "$cpus" "$memory" ;;
  setvcpus) read -r _ memory <"$2.info"; [ -e stubborn ] || echo "$3 $memory" >"$2.info" ;;
  setmem) read -r cpus _ <"$2.info"; [ -e stubborn ] || echo "$cpus $3" >"$2.info" ;;
  suspend) need "$2"; echo 'paused (user)' >"$2.state" ;;
  resume) need "$2"; echo 'running (unpaused)' >"$2.state" ;;
  reset|inject-nmi) need "$2" ;;
  screenshot) need "$2"; printf 'P6 1 1 255 abc' >"$3" ;;
  snapshot-create-as) need "$2"; echo "<domainsnapshot/>" >"$2.snapshot.$3" ;;
  snapshot-dumpxml) need "$2"; cat "$2.snapshot.$3" ;;
  snapshot-list) need "$2"; printf ' Name   Creation Time   State\\n---------\\n'
    for file in "$2".snapshot.*; do [ -e "$file" ] && echo " \${file##*.} now running"; done; echo ;;
  snapshot-delete) need "$2"; rm "$2.snapshot.$3" ;;
  snapshot-revert) need "$2"; echo 'running (from snapshot)' >"$2.state" ;;
  attach-device) need "$2"; tr -d '\\n' <"$3" >device; sed -i "s,</devices>,\\n$(cat device)\\n</devices>," "$2.xml" ;;
  detach-device) need "$2"; mark=$(tr -d '\\n' <"$3" | sed -n "s/.*\\(file='[^']*added[^']*'\\).*/\\1/p; s/.*<mac address='\\([^']*\\)'.*/\\1/p"); grep -v -- "$mark" "$2.xml" >rest; mv rest "$2.xml" ;;
  migrate) need "$2"; to=$(folder "$3"); fault=$(cat "$home/fault" 2>/dev/null); rm -f "$home/fault"
    case $fault in
      refused) echo 'error: Requested operation is not valid: cannot migrate domain with 1 snapshots' >&2; exit 1 ;;
      crashed) echo 'shut off (crashed)' >"$2.state"; echo 'error: operation failed: domain is not running' >&2; exit 1 ;;
    esac
    mv "$2.xml" "$2.state" "$2.info" "$to/"
    [ "$fault" = late ] && { echo 'error: End of file while reading data: Input/output error' >&2; exit 1; }
    echo ;;
  domjobabort) echo 'error: Requested operation is not valid: no job is active on the domain' >&2; exit 1 ;;
  *) echo "error: unknown command: '$1'" >&2; exit 1 ;;
esac
`

export const never: AbortSignal = new AbortController().signal
const place = { file: '/lab.yaml', line: 1, column: 1 }
const guest: Guest = {
  id: 'debian',
  place,
  product: 'debian',
  version: '12',
  arch: 'x86_64',
  family: 'linux',
  shell: 'posix',
  login: { user: 'root', algorithms: 'modern', hostKey: { kind: 'accept-new' } },
  tags: [],
  reboot: null,
  on: [],
}
// Each look is several processes.
const limits = { watchEvery: 150, lookEvery: 50, shutdown: 300, unplug: 300, consoleEvery: 300 }

type HostName = 'kvm-1' | 'kvm-2'

export interface TwoHosts {
  readonly driver: LibvirtDriver
  /** Another runner's driver for the same hosts. */
  openDriver(): LibvirtDriver
  /** Where the first host keeps its domains. */
  readonly folder: string
  readonly request: GuestRequest
  /** What the host's `list` says of a domain; `null` when it is not there. */
  stateOn(host: HostName, domain?: string): Promise<string | null>
  setState(host: HostName, state: string): Promise<void>
  /** Ends the instance on the first host and starts it again, which gives it another id. */
  restart(): Promise<void>
  /** What goes wrong with the next move. */
  fault(what: 'refused' | 'crashed' | 'late'): Promise<void>
  /** Lets a host's guests do nothing that they are asked for. */
  stubborn(host: HostName): Promise<void>
  /** All that virsh of the first host was asked, and the second one's libvirt. */
  log(host: HostName): Promise<string>
  /** What the first host was told over its connection. */
  readonly counted: CountedMachine
  /** The files of instances beside the disk, and on the hosts. */
  files(): Promise<string[]>
}

/** Two hosts with a VM on the first one, which instances are copies of. */
export async function startTwoHosts(t: Pick<Test, 'teardown'>): Promise<TwoHosts> {
  const base = await mkdtemp(join(tmpdir(), 'gc-two-hosts-'))
  // A look at its state that is under way may still write there.
  t.teardown(() => rm(base, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 }))
  const folderOf = (host: HostName): string => join(base, host)
  const disks = join(base, 'disks')
  await mkdir(disks)
  await writeFile(join(disks, 'clean.img'), 'clean')
  const hosts = ['kvm-1', 'kvm-2'] as const
  for (const [index, host] of hosts.entries()) {
    const folder = folderOf(host)
    await mkdir(join(folder, 'home'), { recursive: true })
    await writeFile(join(folder, 'virsh'), virsh)
    await chmod(join(folder, 'virsh'), 0o755)
    await writeFile(join(folder, 'peer'), folderOf(hosts[1 - index] ?? 'kvm-1'))
  }
  await writeFile(join(folderOf('kvm-1'), 'vm.xml'), vmXml(join(disks, 'clean.img')))
  await writeFile(join(folderOf('kvm-1'), 'vm.state'), 'shut off (unknown)\n')
  await writeFile(join(folderOf('kvm-1'), 'vm.info'), '2 262144\n')
  const second: Host = {
    id: 'kvm-2',
    place,
    product: 'debian-kvm',
    version: '12',
    driver: libvirtModule,
    connect: { endpoint: { host: 'kvm-2.lab', port: 22, jumps: [] }, login: guest.login },
    capacity: { guests: 1, vcpus: 2, memoryBytes: 2 ** 30, locks: [] },
    limits,
  }
  const machineOn = (host: HostName): Machine => ({
    ...localMachine(folderOf(host), join(folderOf(host), 'home')),
    label: host,
  })
  const counted = countedMachine(machineOn('kvm-1'))
  const openDriver = (): LibvirtDriver => {
    const driver = createLibvirtDriver({
      host: { id: 'kvm-1', product: 'debian-kvm', version: '12', limits },
      second: id => (id === second.id ? second : undefined),
      connect: async (_signal, host) => (host === 'kvm-1' ? counted.machine : machineOn('kvm-2')),
    })
    t.teardown(() => driver.close())
    return driver
  }
  const instance = 'gc-run-e1-1'
  return {
    driver: openDriver(),
    openDriver,
    folder: folderOf('kvm-1'),
    counted,
    request: {
      instance,
      guest,
      placement: {
        host: 'kvm-1',
        place,
        vm: 'vm',
        endpoint: { host: '192.0.2.7', port: 22, jumps: [] },
        clean: { kind: 'copy', path: join(disks, 'clean.img') },
        viaHost: true,
        migratesTo: 'kvm-2',
        configuration: { name: 'kvm', vcpus: 2, memoryBytes: 256 * 2 ** 20 },
      },
      evidenceFolder: base,
      limits: defaultLimits,
    },
    stateOn: async (host, domain = instance) =>
      (await readFile(join(folderOf(host), `${domain}.state`), 'utf8').catch(() => null))?.trim() ?? null,
    setState: (host, state) => writeFile(join(folderOf(host), `${instance}.state`), `${state}\n`),
    restart: async () => {
      const file = join(folderOf('kvm-1'), `${instance}.xml`)
      const xml = await readFile(file, 'utf8')
      // At once: a watch may read it meanwhile.
      await writeFile(`${file}.new`, xml.replace("id='1'", "id='2'"))
      await rename(`${file}.new`, file)
    },
    fault: what => writeFile(join(folderOf('kvm-1'), 'fault'), what),
    stubborn: host => writeFile(join(folderOf(host), 'stubborn'), ''),
    log: host => readFile(join(folderOf(host), 'log'), 'utf8'),
    files: async () => {
      const names = await Promise.all([disks, ...hosts.map(folderOf)].map(folder => readdir(folder)))
      return names.flat().filter(name => name.startsWith('gc-') && !name.endsWith('.info'))
    },
  }
}

function vmXml(disk: string): string {
  return `<domain type='kvm'>
  <name>vm</name>
  <memory unit='KiB'>262144</memory>
  <vcpu>2</vcpu>
  <os><type arch='x86_64' machine='pc-q35-7.2'>hvm</type></os>
  <devices>
    <disk type='file' device='disk'><driver name='qemu' type='raw'/><source file='${disk}'/><target dev='vda' bus='virtio'/></disk>
    <serial type='pty'><target port='0'/></serial>
    <memballoon model='virtio'/>
  </devices>
</domain>
`
}
