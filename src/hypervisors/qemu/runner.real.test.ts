import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setInterval } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { execa } from 'execa'
import t from 'tap'
import { defaultLimits } from '../../config/limits.js'
import type { Guest } from '../../config/model.js'
import { isAlive } from '../../config/process-identity.js'
import { createQemuDriver } from './driver.js'
import { findOrphans, type InstanceRecord, instanceFolder, removeOrphan } from './instances.js'

const limitMs = 30_000
const keptMs = 500
const instance = 'gc-run-1'
const never = new AbortController().signal

if (process.env.TEST_CACHE !== undefined) {
  await beRunner(process.env.TEST_CACHE, process.env.TEST_OUTLIVES === 'yes')
} else {
  await tests()
}

/** A runner that starts a guest on an empty disk and is killed before anything else. */
async function beRunner(cacheFolder: string, outlives: boolean): Promise<void> {
  const place = { file: join(cacheFolder, 'lab.yaml'), line: 1, column: 1 }
  const guest = { id: 'empty', arch: 'x86_64' } as Guest
  const driver = createQemuDriver({ host: { id: 'here' }, cacheFolder })
  const prepared = await driver
    .instance({
      instance,
      guest,
      placement: {
        host: 'here',
        place,
        image: './empty.qcow2',
        clean: { kind: 'none' },
        viaHost: false,
        configuration: { name: 'x', vcpus: 1, memoryBytes: 64 * 2 ** 20 },
      },
      evidenceFolder: join(cacheFolder, 'evidence'),
      limits: defaultLimits,
      outlives,
    })
    .prepare(never)
  const running = await prepared.start(never)
  process.stdout.write('started\n')
  if (process.env.TEST_CLOSES === 'yes') {
    await driver.close()
    return
  }
  await new Promise(resolve => running.gone.addEventListener('abort', resolve))
}

/** Starts a guest in a runner of its own, and kills that with SIGKILL. */
async function killRunner(cacheFolder: string, outlives: 'yes' | 'no'): Promise<InstanceRecord> {
  const { runner, record } = await startRunner(cacheFolder, { TEST_OUTLIVES: outlives })
  t.same(await findOrphans(cacheFolder), [], 'while its runner lives it is not an orphan')
  runner.kill('SIGKILL')
  await runner
  return record
}

async function startRunner(
  cacheFolder: string,
  env: Readonly<Record<string, string>>,
): Promise<{ runner: Runner; record: InstanceRecord }> {
  await mkdir(join(cacheFolder, 'evidence'))
  await execa('qemu-img', ['create', '-q', '-f', 'qcow2', join(cacheFolder, 'empty.qcow2'), '16M'])
  const runner = spawnRunner({ TEST_CACHE: cacheFolder, ...env })
  const early = runner.then(({ stderr }): never => {
    throw new Error(`the runner ended before its guest had started: ${stderr}`)
  })
  await Promise.race([once(runner.stdout, 'data'), early])
  early.catch(() => {})
  const file = join(instanceFolder(cacheFolder, instance), 'instance.json')
  return { runner, record: JSON.parse(await readFile(file, 'utf8')) as InstanceRecord }
}

type Runner = ReturnType<typeof spawnRunner>

function spawnRunner(env: Readonly<Record<string, string>>) {
  const options = { reject: false, stdin: 'ignore', env, timeout: limitMs } as const
  return execa(process.execPath, [...process.execArgv, fileURLToPath(import.meta.url)], options)
}

async function dies({ qemu }: InstanceRecord, withinMs: number): Promise<boolean> {
  try {
    for await (const _ of setInterval(20, null, { signal: AbortSignal.timeout(withinMs) })) {
      if (qemu !== null && !isAlive(qemu)) {
        return true
      }
    }
  } catch {
    // The limit was reached.
  }
  return false
}

async function tests(): Promise<void> {
  await t.test('a guest dies with a runner that is killed, and what is left of it is found', async t => {
    const cacheFolder = t.testdir()
    const record = await killRunner(cacheFolder, 'no')
    t.ok(record.qemu !== null && record.port !== null)
    t.ok(await dies(record, limitMs))
    const [orphan, ...more] = await findOrphans(cacheFolder)
    t.match(orphan, { name: instance, running: false, record: { kept: false, host: 'here' } })
    t.same(more, [])
    const folder = instanceFolder(cacheFolder, instance)
    await removeOrphan(orphan ?? { folder, record: null })
    t.notOk(existsSync(folder))
  })

  await t.test('a guest that is to be kept lives on, and is found and removed', async t => {
    const cacheFolder = t.testdir()
    const record = await killRunner(cacheFolder, 'yes')
    t.notOk(await dies(record, keptMs))
    const [orphan] = await findOrphans(cacheFolder)
    t.match(orphan, { name: instance, running: true, record: { kept: true } })
    await removeOrphan(orphan ?? { folder: instanceFolder(cacheFolder, instance), record })
    t.ok(await dies(record, limitMs))
    t.same(await findOrphans(cacheFolder), [])
  })

  await t.test('a runner that ends leaves a guest only where it is to be kept', async t => {
    for (const [outlives, isKept] of [
      ['yes', true],
      ['no', false],
    ] as const) {
      const cacheFolder = t.testdir()
      const { runner, record } = await startRunner(cacheFolder, {
        TEST_OUTLIVES: outlives,
        TEST_CLOSES: 'yes',
      })
      t.match(await runner, { exitCode: 0, timedOut: false }, 'it ends by itself')
      t.equal(await dies(record, isKept ? keptMs : limitMs), !isKept)
      await Promise.all((await findOrphans(cacheFolder)).map(removeOrphan))
      t.ok(await dies(record, limitMs))
    }
  })
}
