import { chmod, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Test } from 'tap'
import { defaultLimits } from '../../config/limits.js'
import type { CleanState, Configuration, Guest, Host } from '../../config/model.js'
import type { GuestRequest, RunningGuest } from '../driver.js'
import { type CountedMachine, countedMachine, localMachine } from '../shared/local-machine.test.fixture.js'
import { createXlDriver, type XlDriver } from './driver.js'

export const signal: AbortSignal = new AbortController().signal
export const place = { file: '/lab.yaml', line: 1, column: 1 }
export const instance = 'gc-20260101-000000-abcd-e1-1'
/** Long enough that a loss would have been seen, as often as the host is looked at here. */
export const severalLooksMs = 500

/**
 * Keeps a file for each domain that holds its flags. A domain that is shut down or saved is gone, as with xl. What it
 * is made to refuse, or its guests to ignore, stands in files: `no-VERB`, `deaf`.
 */
const fakeXl = `#!/bin/sh
state="$HOME/domains"
case $1 in list | info | *-list) ;; *) echo "$*" >> "$HOME/calls" ;; esac
[ -e "$HOME/no-$1" ] && { echo "xl $1: no" >&2; exit 1; }
new() { echo $(($(cat "$HOME/id") + 1)) > "$HOME/id"; }
there() { [ -e "$state/$1" ] || { echo "$1 is an invalid domain identifier" >&2; exit 2; }; }
case $1 in
  list)
    printf 'Name ID Mem VCPUs\\tState\\tTime(s)\\nDomain-0 0 1536 1 r----- 9.3\\n'
    for file in "$state"/*; do
      [ -e "$file" ] && printf '%s %s %s %s %s 0.1\\n' "\${file##*/}" "$(cat "$HOME/id")" "$(cat "$HOME/memory")" "$(cat "$HOME/vcpus")" "$(cat "$file")"
    done
    exit 0 ;;
  info) printf 'release : 6.1\\nnr_cpus : 1\\nxen_major : 4\\nxen_minor : 17\\nxen_extra : .7\\n' ;;
  create)
    name=$(sed -n 's/^name = "\\(.*\\)"/\\1/p' "$2")
    disk=$(sed -n 's/.*target=\\([^"]*\\)".*/\\1/p' "$2")
    [ -e "$state/$name" ] && { echo "Domain with name $name already exists" >&2; exit 3; }
    [ -e "$disk" ] || { echo "no $disk" >&2; exit 3; }
    echo written >> "$disk"
    printf '51712\\n' > "$HOME/vbds"
    printf '00:16:3e:00:00:10\\n' > "$HOME/vifs"
    new; printf -- '-b----' > "$state/$name" ;;
  save) there "$2"; { echo "$2"; cat "$HOME/vbds"; } > "$3"; rm "$state/$2" ;;
  restore) { read -r name; cat > "$HOME/vbds"; } < "$2"; new; printf -- '-b----' > "$state/$name" ;;
  pause) there "$2"; printf -- '--p---' > "$state/$2" ;;
  unpause) printf -- '-b----' > "$state/$2" ;;
  shutdown) there "$2"; [ -e "$HOME/deaf" ] || rm "$state/$2" ;;
  destroy) rm "$state/$2" ;;
  vcpu-set) [ -e "$HOME/deaf" ] || printf %s "$4" > "$HOME/vcpus" ;;
  mem-set) [ -e "$HOME/deaf" ] || printf %s "\${3%m}" > "$HOME/memory" ;;
  block-list)
    there "$2"
    printf 'Vdev  BE  handle state evt-ch ring-ref BE-path\\n'
    sed 's#.*#& 0   1      4     15     8        /local/domain/0/backend/vbd/1/&#' "$HOME/vbds" ;;
  block-attach) case $3 in *vdev=xvdb*) echo 51728 ;; *vdev=xvdc*) echo 51744 ;; esac >> "$HOME/vbds" ;;
  block-detach) [ -e "$HOME/deaf" ] || case $3 in xvdb) sed -i /51728/d "$HOME/vbds" ;; xvdc) sed -i /51744/d "$HOME/vbds" ;; esac ;;
  network-list)
    printf 'Idx BE Mac Addr.         handle state evt-ch   tx-/rx-ring-ref BE-path\\n'
    sed 's#.*#0   0  &     0     4     -1   521/522         /local/domain/0/backend/vif/1/0#' "$HOME/vifs" ;;
  network-attach) echo "\${3#mac=}" >> "$HOME/vifs" ;;
  network-detach) [ -e "$HOME/deaf" ] || sed -i "/$3/d" "$HOME/vifs" ;;
esac
`

export interface FakeHost {
  readonly driver: XlDriver
  /** Another runner's driver for the same host. */
  openDriver(): XlDriver
  readonly folder: string
  readonly counted: CountedMachine
  /** What xl was told that changes something. */
  calls(): Promise<string[]>
  /** A file that makes the host or its guests fail. */
  break(name: string): Promise<void>
}

export interface FakeHostOptions {
  readonly tool?: 'xl' | 'xm'
  readonly product?: string
}

export async function startHost(
  t: Test,
  { tool = 'xl', product = 'xen' }: FakeHostOptions = {},
): Promise<FakeHost> {
  const folder = t.testdir({
    bin: { [tool]: fakeXl },
    domains: {},
    evidence: {},
    'clean.raw': 'clean\n',
    calls: '',
    id: '2',
    vcpus: '2',
    memory: '256',
  })
  await chmod(join(folder, 'bin', tool), 0o755)
  await writeFile(
    join(folder, 'debian.cfg'),
    `name = "debian"
type = "pv"
memory = 256
vcpus = 2
disk = [ "format=raw,vdev=xvda,access=rw,target=${folder}/clean.raw" ]
vif = [ "mac=00:16:3e:00:00:10,bridge=xenbr0,vifname=debian0" ]
`,
  )
  // Each look is several processes.
  const limits = { shutdown: 100, unplug: 100, lookEvery: 30, watchEvery: 100, restart: 50 }
  const counted = countedMachine(localMachine(join(folder, 'bin'), folder))
  const openDriver = (): XlDriver => {
    const driver = createXlDriver({
      host: { id: 'xen-1', product, version: '4.17', limits } satisfies Partial<Host>,
      cacheFolder: join(folder, 'cache'),
      connect: async () => counted.machine,
    })
    t.teardown(() => driver.close())
    return driver
  }
  return {
    driver: openDriver(),
    openDriver,
    counted,
    folder,
    calls: async () => (await readFile(join(folder, 'calls'), 'utf8')).trim().split('\n'),
    break: name => writeFile(join(folder, name), ''),
  }
}

export function requestFor(
  folder: string,
  clean: CleanState = { kind: 'copy', path: `${folder}/clean.raw` },
  more: Partial<Configuration> = {},
): GuestRequest {
  const guest = { id: 'debian', product: 'debian', version: '12' } as Guest
  const configuration = { name: 'test', mode: 'pv', memoryBytes: 256 * 2 ** 20, ...more } as const
  const endpoint = { host: '192.0.2.16', port: 22, jumps: [] }
  const placement = { host: 'xen-1', place, vm: join(folder, 'debian.cfg'), endpoint, clean, viaHost: true }
  return {
    instance,
    guest,
    placement: { ...placement, configuration },
    evidenceFolder: join(folder, 'evidence'),
    limits: defaultLimits,
  }
}

/** Resolves, with the reason, when a guest is lost; the test's own time bounds it. */
export function lost({ gone }: RunningGuest): Promise<unknown> {
  return new Promise(resolve => {
    if (gone.aborted) {
      resolve(gone.reason)
    } else {
      gone.addEventListener('abort', () => resolve(gone.reason), { once: true })
    }
  })
}

/** An instance that runs; it goes with its host's folder. */
export async function startGuest({ driver, folder }: FakeHost): Promise<RunningGuest> {
  const prepared = await driver.instance(requestFor(folder)).prepare(signal)
  return prepared.start(signal)
}
