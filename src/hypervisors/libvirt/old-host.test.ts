import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { defaultLimits } from '../../config/limits.js'
import type { CleanState, Guest } from '../../config/model.js'
import { untilAborted } from '../../remote/index.js'
import type { GuestRequest } from '../driver.js'
import { localMachine } from '../shared/local-machine.test.fixture.js'
import { createLibvirtDriver, type LibvirtDriver } from './driver.js'

/**
 * virsh as it was with Xen in RHEL 5: formats, messages and the splitting of words after src/virsh.c of libvirt,
 * commit 00602abe. It keeps a domain's state in a file, and a log of what it was asked.
 */
const virsh = `#!/bin/sh
cd "$(dirname "$0")" || exit 9
[ "$1" = -c ] && shift 2
set -- $*
echo "$*" >>log
for word in "$@"; do
  case $word in --*) [ "$word" = --all ] || { echo "error: command '$1' doesn't support option $word" >&2; exit 1; } ;; esac
done
if [ -n "$2" ] && [ "$2" != --all ] && [ ! -e "$2.state" ]; then
  echo "error: failed to get domain '$2'" >&2; exit 1
fi
move() { if grep -q "$2" "$1.state"; then echo "$3" >"$1.state"; else echo "error: Failed to $4 domain $1" >&2; exit 1; fi; }
case $1 in
  version) printf 'Compiled against library: libvir 0.3.3\\nUsing library: libvir 0.3.3\\nUsing API: Xen 3.0.1\\nRunning hypervisor: Xen 3.1.0\\n\\n' ;;
  list) printf ' Id Name                 State\\n----------------------------------\\n  0 Domain-0             running\\n'
    for file in *.state; do printf '%3s %-20s %s\\n' - "\${file%.state}" "$(cat "$file")"; done; echo ;;
  domstate) cat "$2.state"; echo ;;
  dumpxml) cat "$2.xml" ;;
  start) move "$2" 'shut off' blocked start ;;
  suspend) move "$2" 'blocked' paused suspend ;;
  resume) move "$2" paused blocked resume ;;
  shutdown) move "$2" 'blocked' 'shut off' shutdown ;;
  destroy) move "$2" 'blocked\\|paused' 'shut off' destroy ;;
  *) echo "error: unknown command: '$1'" >&2; exit 1 ;;
esac
`
const xml = `<domain type='xen'>
  <name>rhel5</name>
  <uuid>c7a5fdbdedaf9455926ad65c16db1809</uuid>
  <os><type>linux</type><kernel>/boot/vmlinuz</kernel></os>
  <memory>524288</memory>
  <vcpu>1</vcpu>
  <devices>
    <disk type='file' device='disk'><driver name='tap' type='aio'/><source file='/images/rhel5.img'/><target dev='xvda'/></disk>
    <interface type='bridge'><source bridge='xenbr0'/><mac address='00:16:3e:5d:c7:9e'/></interface>
  </devices>
</domain>
`
const never = new AbortController().signal
const place = { file: '/lab.yaml', line: 1, column: 1 }
const guest: Guest = {
  id: 'rhel5',
  place,
  product: 'rhel',
  version: '5.3',
  arch: 'x86_64',
  family: 'linux',
  shell: 'posix',
  login: { user: 'root', algorithms: 'legacy', hostKey: { kind: 'accept-new' } },
  tags: [],
  reboot: null,
  on: [],
}

interface OldHost {
  readonly folder: string
  readonly driver: LibvirtDriver
  request(number: number, clean: CleanState, vm?: string): GuestRequest
  setState(state: string): Promise<void>
}

async function startHost(test: Pick<typeof t, 'teardown'>): Promise<OldHost> {
  const folder = await mkdtemp(join(tmpdir(), 'gc-old-host-'))
  test.teardown(() => rm(folder, { recursive: true, force: true }))
  const setState = (state: string): Promise<void> => writeFile(join(folder, 'rhel5.state'), `${state}\n`)
  await writeFile(join(folder, 'virsh'), virsh)
  await chmod(join(folder, 'virsh'), 0o755)
  await writeFile(join(folder, 'rhel5.xml'), xml)
  await setState('shut off')
  await mkdir(join(folder, 'home'))
  const driver = createLibvirtDriver({
    host: { id: 'xen-5', product: 'rhel-xen', version: '5.3' },
    connect: async () => localMachine(folder, join(folder, 'home')),
  })
  test.teardown(() => driver.close())
  return {
    folder,
    driver,
    setState,
    request: (number, clean, vm = 'rhel5') => ({
      instance: `gc-run-e1-${number}`,
      guest,
      placement: {
        host: 'xen-5',
        place,
        vm,
        endpoint: { host: '192.0.2.7', port: 22, jumps: [] },
        clean,
        viaHost: false,
        configuration: { name: 'pv', vcpus: 1, memoryBytes: 512 * 2 ** 20, disk: 'xen' },
      },
      evidenceFolder: folder,
      limits: defaultLimits,
    }),
  }
}

t.test('a guest of an old host lives and is left as it was', async t => {
  const { driver, folder, request } = await startHost(t)
  const wanted = request(1, { kind: 'none' })
  t.strictSame([...driver.abilities(wanted.placement)].sort(), [
    'attach-disk',
    'attach-nic',
    'console',
    'pause',
    'set-memory',
    'stop',
  ])
  const prepared = await driver.instance(wanted).prepare(never)
  const running = await prepared.start(never)
  t.match(running.facts, {
    'libvirt version': '0.3.3',
    hypervisor: 'Xen 3.1.0',
    disk: 'xen',
    accelerator: 'xen',
  })
  t.strictSame(await running.access(never), { endpoint: wanted.placement.endpoint })
  for (const missing of ['reset', 'snapshot', 'revert', 'nmi', 'screenshot'] as const) {
    t.equal(running[missing], undefined, `no ${missing}`)
  }
  await running.pause?.(never)
  await running.pause?.(never)
  t.equal(await readFile(join(folder, 'rhel5.state'), 'utf8'), 'paused\n')
  await running.resume?.(never)
  await running.resume?.(never)
  t.match(await driver.instances(never), [{ name: 'gc-run-e1-1', vm: 'rhel5', state: 'idle' }])
  await running.stop(never)
  await running.stop(never)
  await prepared.remove(never)
  await prepared.remove(never)
  t.equal(await readFile(join(folder, 'rhel5.state'), 'utf8'), 'shut off\n')
  t.strictSame(await driver.instances(never), [])
  t.notMatch(await readFile(join(folder, 'log'), 'utf8'), /destroy/, 'it was asked, and went by itself')
})

t.test('a VM that ran before goes on afterwards', async t => {
  const { driver, folder, request, setState } = await startHost(t)
  await setState('blocked')
  const prepared = await driver.instance(request(1, { kind: 'none' })).prepare(never)
  await (await prepared.start(never)).stop(never)
  await prepared.remove(never)
  t.equal(await readFile(join(folder, 'rhel5.state'), 'utf8'), 'blocked\n')
})

t.test('an end that nobody asked for is a loss, of unknown cause where virsh tells no reason', async t => {
  const { driver, request, setState } = await startHost(t)
  const prepared = await driver.instance(request(1, { kind: 'none' })).prepare(never)
  const running = await prepared.start(never)
  await setState('shut off')
  await untilAborted(20_000, running.gone)
  t.match(running.gone.reason, { message: /gc-run-e1-1: .*does not say why/, context: { cause: 'unknown' } })
  await running.stop(never)
  await prepared.remove(never)
})

t.test('a crash on Xen is the guest’s', async t => {
  const { driver, request, setState } = await startHost(t)
  const running = await (await driver.instance(request(1, { kind: 'none' })).prepare(never)).start(never)
  await setState('crashed')
  await untilAborted(20_000, running.gone)
  t.match(running.gone.reason, { message: /the guest crashed/, context: { cause: 'guest' } })
})

t.test('what an old host cannot do is refused with its words', async t => {
  const { driver, request, folder } = await startHost(t)
  const prepare = (clean: CleanState, vm?: string): Promise<unknown> =>
    driver.instance(request(2, clean, vm)).prepare(never)
  await t.rejects(prepare({ kind: 'none' }, 'no such'), { message: /takes no names with blanks/ })
  await t.rejects(prepare({ kind: 'none' }, '5'), { message: /takes a number for an id/ })
  await t.rejects(prepare({ kind: 'none' }, '-all'), { message: /dash in front/ })
  await t.rejects(prepare({ kind: 'none' }, 'gone'), {
    message:
      /gc-run-e1-2 on xen-5: virsh -c xen:\/\/\/ dumpxml gone ended with status 1: error: failed to get domain 'gone'/,
    context: { cause: 'host', code: 'command' },
  })
  await t.rejects(prepare({ kind: 'snapshot', name: 'sealed' }), { message: /has no snapshot "sealed"/ })
  await t.rejects(prepare({ kind: 'overlay', path: '/images/clean.img' }), { message: /on Xen use "copy"/ })
  await writeFile(join(folder, 'virsh'), '#!/bin/sh\necho segmentation fault\n')
  const strange = createLibvirtDriver({
    host: { id: 'xen-5', product: 'rhel-xen', version: '5.3' },
    connect: async () => localMachine(folder, folder),
  })
  await t.rejects(strange.facts(never), {
    message: /xen-5: the version has a form that is not known/,
  })
  await strange.close()
})
