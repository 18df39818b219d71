import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { localVirsh } from './daemons.test.fixture.js'
import { enterNamespaces } from './namespace.test.fixture.js'
import { bootIdCommand, never, type RealHost, startRealHost } from './real-host.test.fixture.js'
import {
  firstAddress,
  migrationSettings,
  type SecondHost,
  startSecondHost,
} from './second-host.test.fixture.js'

const base = await enterNamespaces(import.meta.url)
if (base !== null) {
  await tests(base)
}

async function tests(folder: string): Promise<void> {
  const { default: t } = await import('tap')
  t.setTimeout(900_000)
  const second: SecondHost = await startSecondHost(folder)
  t.teardown(() => second.close())
  const real: RealHost = await startRealHost(t, {
    settings: migrationSettings(firstAddress),
    second: second.host,
  })
  const logs = async (): Promise<string[]> => (await readdir('/var/log/libvirt/qemu')).filter(isOurs)
  const logsThere = async (): Promise<string[]> =>
    (await second.shell('ls /var/log/libvirt/qemu')).split('\n').filter(isOurs)
  const isOurs = (name: string): boolean => name.startsWith(`gc-${real.run}`)

  await t.test(
    'a running guest goes to the second host and comes back, and nothing is left on either',
    async t => {
      const driver = real.openDriver()
      const request = await real.requestFor(1, { kind: 'overlay', path: real.vm.base })
      t.ok(driver.abilities(request.placement).has('migrate'))
      const prepared = await driver.instance(request).prepare(never)
      t.teardown(() => prepared.remove(never))
      const running = await prepared.start(never)
      const uptimeSec = async (): Promise<number> =>
        Number.parseFloat(await real.inGuest(running, 'cat /proc/uptime'))
      const boot = await real.inGuest(running, bootIdCommand)
      const before = await uptimeSec()

      await t.test('there', async t => {
        const at = performance.now()
        t.strictSame(await running.migrate?.(never), { host: 'kvm-2' })
        t.comment(`moved after ${Math.round(performance.now() - at)} ms`)
        t.notMatch(await localVirsh('list', '--all'), request.instance)
        t.match(await second.virsh('domstate', request.instance), 'running')
        t.strictSame(await logs(), [], 'the first host has no log of it')
        t.equal((await running.access(never)).via?.label, 'kvm-2')
        t.equal(await real.inGuest(running, bootIdCommand), boot)
        t.ok((await uptimeSec()) > before, 'its uptime went on')
        t.match(await readFile(join(request.evidenceFolder, 'console-1.log'), 'utf8'), /Linux version/)
      })

      await t.test('what is done with it, is done where it is', async t => {
        await running.pause?.(never)
        t.match(await second.virsh('domstate', request.instance), 'paused')
        await running.resume?.(never)
        t.match(await running.screenshot?.(never), /^screenshot-1/)
        t.equal(
          await real.inGuest(running, 'echo moved >/dev/ttyS0; touch /root/marker; sync; echo done'),
          'done',
        )
        await running.console?.look(never)
        t.notOk(running.gone.aborted)
      })

      await t.test('and back', async t => {
        t.strictSame(await running.migrate?.(never), { host: 'kvm-1' })
        t.match(await localVirsh('domstate', request.instance), 'running')
        t.notMatch(await second.virsh('list', '--all'), request.instance)
        t.strictSame(await logsThere(), [])
        t.equal((await running.access(never)).via?.label, 'kvm-1')
        t.equal(await real.inGuest(running, `ls /root/marker >/dev/null && ${bootIdCommand}`), boot)
        t.match(await readFile(join(request.evidenceFolder, 'console-2.log'), 'utf8'), /moved/)
      })

      await t.test('refused: both hosts and the reason are named, and it goes on where it is', async t => {
        const base = real.vm.base
        await second.shell('mkdir -p /tmp/gc-other && mount --bind /tmp/gc-other /var/lib/libvirt/images')
        await t.rejects(async () => await running.migrate?.(never), {
          message:
            /gc-test.*: it cannot be moved from kvm-1 to kvm-2: they do not share the folder \/var\/lib\/libvirt/,
          context: { cause: 'host' },
        })
        await second.shell('umount /var/lib/libvirt/images && rmdir /tmp/gc-other')
        t.notOk((await readdir(join(base, '..'))).some(file => file.endsWith('.shared')))
        await second.virsh('define', await definition(second, request.instance))
        await t.rejects(async () => await running.migrate?.(never), {
          message:
            /moving it from kvm-1 to kvm-2 failed, it is on kvm-1: .*virsh .*migrate .*already (exists|active|defined)/,
        })
        await second.virsh('undefine', request.instance)
        t.equal(await real.inGuest(running, bootIdCommand), boot)
        t.notOk(running.gone.aborted)
      })

      await t.test('its end on the second host is seen, and it is removed there', async t => {
        await running.migrate?.(never)
        await second.virsh('destroy', request.instance)
        await new Promise(resolve => {
          running.gone.addEventListener('abort', resolve, { once: true })
          AbortSignal.timeout(30_000).addEventListener('abort', resolve, { once: true })
        })
        t.match(running.gone.reason, { message: /the host ended the guest: shut off \(destroyed\)/ })
        await running.stop(never)
        await prepared.remove(never)
        t.notMatch(await second.virsh('list', '--all'), request.instance)
        t.notMatch(await localVirsh('list', '--all'), request.instance)
        t.strictSame([await logs(), await logsThere(), await real.instanceFiles()], [[], [], []])
      })
    },
  )
}

/** A small domain of that name, in a file that the second host's virsh reads from here. */
async function definition({ shell }: SecondHost, name: string): Promise<string> {
  const file = `/tmp/${name}.xml`
  const xml = `<domain type="qemu"><name>${name}</name><memory>65536</memory><os><type>hvm</type></os></domain>`
  await shell(`echo '${xml}' >${file}`)
  return file
}
