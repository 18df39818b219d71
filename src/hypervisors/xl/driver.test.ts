import { chmod, mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { defaultLimits } from '../../config/limits.js'
import type { CleanState, Configuration, Guest, Host } from '../../config/model.js'
import type { GuestRequest } from '../driver.js'
import { localMachine } from '../libvirt/local-machine.test.fixture.js'
import { createXlDriver, type XlDriver } from './driver.js'

const signal = new AbortController().signal
const place = { file: '/lab.yaml', line: 1, column: 1 }
const instance = 'gc-20260101-000000-abcd-e1-1'

/** Keeps a file for each domain that holds its flags. A domain that is shut down is gone, as with xl. */
const fakeXl = `#!/bin/sh
state="$HOME/domains"
case $1 in
  list)
    printf 'Name ID Mem VCPUs\\tState\\tTime(s)\\nDomain-0 0 1536 1 r----- 9.3\\n'
    for file in "$state"/*; do
      [ -e "$file" ] && printf '%s 3 256 1 %s 0.1\\n' "\${file##*/}" "$(cat "$file")"
    done
    exit 0 ;;
  info) printf 'release : 6.1\\nnr_cpus : 1\\nxen_major : 4\\nxen_minor : 17\\nxen_extra : .7\\n' ;;
  create)
    name=$(sed -n 's/^name = "\\(.*\\)"/\\1/p' "$2")
    disk=$(sed -n 's/.*target=\\([^"]*\\)".*/\\1/p' "$2")
    [ -e "$disk" ] || { echo "no $disk" >&2; exit 3; }
    echo written >> "$disk"
    printf -- '-b----' > "$state/$name" ;;
  pause) printf -- '--p---' > "$state/$2" ;;
  unpause) printf -- '-b----' > "$state/$2" ;;
  shutdown) [ -e "$HOME/deaf" ] || rm "$state/$2" ;;
  destroy) rm "$state/$2" ;;
esac
`

async function startHost(t: Test): Promise<{ driver: XlDriver; folder: string }> {
  const folder = t.testdir({ bin: { xl: fakeXl }, domains: {}, evidence: {}, 'clean.raw': 'clean\n' })
  await chmod(join(folder, 'bin/xl'), 0o755)
  await writeFile(
    join(folder, 'debian.cfg'),
    `name = "debian"\ntype = "pv"\nmemory = 256\ndisk = [ "format=raw,vdev=xvda,access=rw,target=${folder}/clean.raw" ]\n`,
  )
  const driver = createXlDriver({
    host: { id: 'xen-1', product: 'xen', version: '4.17', limits: { shutdown: 100 } },
    cacheFolder: join(folder, 'cache'),
    connect: async () => localMachine(join(folder, 'bin'), folder),
  })
  t.teardown(() => driver.close())
  return { driver, folder }
}

function requestFor(folder: string, clean: CleanState, more: Partial<Configuration> = {}): GuestRequest {
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

t.test('an instance is a domain of its own, and leaves nothing', async t => {
  const { driver, folder } = await startHost(t)
  const prepared = await driver.prepare(
    requestFor(folder, { kind: 'copy', path: `${folder}/clean.raw` }),
    signal,
  )
  const running = await prepared.start(signal)
  t.same(await readdir(join(folder, 'domains')), [instance])
  t.equal(await readFile(join(folder, 'clean.raw'), 'utf8'), 'clean\n', 'the clean disk is not written to')
  t.match(running.facts, { hypervisor: 'Xen 4.17.7', 'vm mode': 'pv', domain: instance })
  t.match(await running.access(signal), { endpoint: { host: '192.0.2.16' }, via: { label: 'here' } })
  await running.pause?.(signal)
  t.match(await driver.instances(signal), [{ name: instance, state: 'paused' }])
  await running.resume?.(signal)
  t.match(await driver.instances(signal), [{ state: 'idle' }])
  await running.stop(signal)
  await prepared.remove(signal)
  t.same(await driver.instances(signal), [])
  t.same(await readdir(join(folder, 'domains')), [])
  t.same(
    (await readdir(folder)).filter(name => name.startsWith('gc-')),
    [],
  )
})

t.test('a guest that does not shut down is ended by force', async t => {
  const { driver, folder } = await startHost(t)
  await writeFile(join(folder, 'deaf'), '')
  const prepared = await driver.prepare(
    requestFor(folder, { kind: 'copy', path: `${folder}/clean.raw` }),
    signal,
  )
  await (await prepared.start(signal)).stop(signal)
  t.same(await readdir(join(folder, 'domains')), [])
  await prepared.remove(signal)
})

t.test('what a dead runner left is found and removed, and nothing else', async t => {
  const { driver, folder } = await startHost(t)
  await writeFile(join(folder, 'domains/other'), '-b----')
  const prepared = await driver.prepare(
    requestFor(folder, { kind: 'copy', path: `${folder}/clean.raw` }),
    signal,
  )
  await prepared.start(signal)
  t.match(await driver.instances(signal), [{ name: instance, run: '20260101-000000-abcd' }])
  await driver.clean('other', signal)
  await driver.clean(instance, signal)
  t.same(await readdir(join(folder, 'domains')), ['other'])
  t.same(await driver.instances(signal), [])
})

t.test('a crash is the guest’s', async t => {
  const { driver, folder } = await startHost(t)
  const prepared = await driver.prepare(
    requestFor(folder, { kind: 'copy', path: `${folder}/clean.raw` }),
    signal,
  )
  const { gone } = await prepared.start(signal)
  await writeFile(join(folder, 'domains', instance), '----c-')
  await new Promise(resolve => gone.addEventListener('abort', resolve, { once: true }))
  t.match(gone.reason, { message: /crashed/, context: { cause: 'guest' } })
  await prepared.remove(signal)
})

t.test('what cannot be made, or is not as declared, is refused before anything is there', async t => {
  const { driver, folder } = await startHost(t)
  const path = `${folder}/clean.raw`
  await t.rejects(
    driver.prepare(requestFor(folder, { kind: 'overlay', path }), signal),
    /knows "copy" and "none"/,
  )
  await t.rejects(
    driver.prepare(requestFor(folder, { kind: 'copy', path }, { mode: 'hvm' }), signal),
    /not as the lab declares it: mode is pv, not hvm/,
  )
  await t.rejects(
    driver.prepare(requestFor(folder, { kind: 'copy', path: `${folder}/no.raw` }), signal),
    /no\.raw/,
  )
  t.same(await driver.instances(signal), [])
  await mkdir(join(folder, '.guestcert'), { recursive: true })
  t.same(await readdir(join(folder, '.guestcert')), [])
})

t.test('what must be well before a pass is looked at, and what is missing is said', async t => {
  const { driver, folder } = await startHost(t)
  const { guest, placement } = requestFor(folder, { kind: 'copy', path: `${folder}/clean.raw` })
  const gone = requestFor(folder, { kind: 'copy', path: `${folder}/gone.raw` }).placement
  const capacity = { guests: 2, vcpus: 2, memoryBytes: Number.POSITIVE_INFINITY, locks: [] }
  const host = { id: 'xen-1', product: 'xen', version: '4.16', driver: 'xl', capacity, place } as Host
  const checks =
    driver.checks?.({
      host,
      guests: [
        { guest, placement },
        { guest, placement: gone },
      ],
      freeBytes: 1,
    }) ?? []
  const seen = await Promise.all(
    checks.map(async ({ name, carryOut }) => `${name}: ${(await carryOut(signal)).state}`),
  )
  t.same(seen, ['xen: ok', 'version: missing', 'vcpus: missing', 'clean state: ok', 'clean state: missing'])
})
