import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { setInterval } from 'node:timers/promises'
import { execa } from 'execa'
import t from 'tap'
import { buildImage } from '../../lab/images/build.js'
import { loadRecipe } from '../../lab/images/recipe.js'
import { hostLimits } from '../limit.js'
import { defaultCacheFolder } from '../shared/cache.js'
import { guardConsole } from './console.js'
import { hardwareOf } from './hardware.js'
import { launch } from './launch.js'

const never = new AbortController().signal
const limitMs = 60_000
/** The kernel says much more than this in this time. */
const quietMs = 2000
t.setTimeout(1_200_000)

t.test('a console that grows too large is cut, and the guest goes on', async t => {
  const image = await buildImage(await loadRecipe('debian'), {
    cacheFolder: defaultCacheFolder(),
    signal: never,
  })
  const folder = t.testdir()
  const overlay = join(folder, 'overlay.qcow2')
  await execa('qemu-img', ['create', '-q', '-f', 'qcow2', overlay, '16M'])
  const configuration = { name: 'x', vcpus: 1, memoryBytes: 256 * 2 ** 20 }
  const file = join(folder, 'console.log')
  const { process, qmp } = await launch(
    {
      name: 'flood',
      hardware: hardwareOf(configuration, { id: 'flood', arch: 'x86_64' }),
      accelerator: 'tcg',
      overlay,
      uefi: null,
      direct: { kernel: image.kernel, initrd: image.initrd, append: 'console=ttyS0' },
      console: file,
      folder,
      logFile: join(folder, 'qemu.log'),
    },
    hostLimits(),
    never,
  )
  t.teardown(async () => {
    process.kill()
    await process.ended
  })
  const stop = guardConsole(qmp, file, hostLimits().command, { maxBytes: 2000, everyMs: 20 })
  t.teardown(stop)
  for await (const _ of setInterval(20, null, { signal: AbortSignal.timeout(limitMs) })) {
    if ((await readFile(file, 'utf8')).includes('guestcert: the console is cut here')) {
      break
    }
  }
  const { size } = await stat(file)
  t.ok(size >= 2000)
  let seen = size
  for await (const at of setInterval(100, performance.now(), { signal: AbortSignal.timeout(limitMs) })) {
    seen = (await stat(file)).size
    if (performance.now() - at > quietMs) {
      break
    }
  }
  t.equal(seen, size, 'nothing more comes')
  t.match(await qmp.execute('query-status', {}, hostLimits().command, never), { status: 'running' })
})
