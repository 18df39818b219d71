import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { identityOf, isAlive, type ProcessIdentity } from '../../config/process-identity.js'
import {
  createInstance,
  findOrphans,
  instanceFolder,
  removeInstance,
  removeOrphan,
  updateInstance,
} from './instances.js'

/** A process that lives until it is killed. */
function longLived(): ReturnType<typeof spawn> {
  return spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' })
}

async function pretendRunnerIs(folder: string, runner: ProcessIdentity): Promise<void> {
  const file = join(folder, 'instance.json')
  const record = JSON.parse(await readFile(file, 'utf8'))
  await writeFile(file, JSON.stringify({ ...record, runner }))
}

const dead: ProcessIdentity = { pid: process.pid, startTime: '1', bootId: identityOf(process.pid).bootId }

t.test('a process is known by more than its id', async t => {
  const self = identityOf(process.pid)
  t.ok(isAlive(self))
  t.notOk(
    isAlive({ ...self, startTime: `${Number(self.startTime) - 1}` }),
    'a later process with the same id',
  )
  t.notOk(isAlive({ ...self, bootId: 'another' }), 'before the machine was started again')
  const child = longLived()
  const identity = identityOf(child.pid ?? 0)
  t.ok(isAlive(identity))
  child.kill('SIGKILL')
  await once(child, 'exit')
  t.notOk(isAlive(identity))
})

t.test('an instance of a living runner is not an orphan, and is made once', async t => {
  const cache = t.testdir()
  const folder = await createInstance(cache, 'gc-1', 'here')
  t.same(await findOrphans(cache), [])
  await t.rejects(createInstance(cache, 'gc-1', 'here'), { message: /its runner lives/ })
  await removeInstance(folder)
  await removeInstance(folder)
  t.equal(await createInstance(cache, 'gc-1', 'here'), folder, 'and again when it was removed')
})

t.test('what a dead runner left is found and removed, its QEMU too', async t => {
  const cache = t.testdir()
  const child = longLived()
  t.teardown(() => child.kill('SIGKILL'))
  const folder = await createInstance(cache, 'gc-1', 'here')
  await updateInstance(folder, { qemu: identityOf(child.pid ?? 0), port: 1234 })
  await pretendRunnerIs(folder, dead)
  const [orphan, ...more] = await findOrphans(cache)
  t.same(more, [])
  t.match(orphan, { name: 'gc-1', running: true, record: { host: 'here', port: 1234, kept: false } })
  const exited = once(child, 'exit')
  await removeOrphan(orphan ?? { folder, record: null })
  t.same(await exited, [null, 'SIGKILL'])
  t.notOk(existsSync(folder))
  t.same(await findOrphans(cache), [])
})

t.test('an orphan’s process id that another process has now is left alone', async t => {
  const cache = t.testdir()
  const child = longLived()
  t.teardown(() => child.kill('SIGKILL'))
  const identity = identityOf(child.pid ?? 0)
  const folder = await createInstance(cache, 'gc-1', 'here')
  await updateInstance(folder, { qemu: { ...identity, startTime: '1' } })
  await pretendRunnerIs(folder, dead)
  const [orphan] = await findOrphans(cache)
  t.equal(orphan?.running, false)
  await removeOrphan(orphan ?? { folder, record: null })
  t.ok(isAlive(identity))
})

t.test('files without a readable record are an orphan', async t => {
  const cache = t.testdir()
  const folder = instanceFolder(cache, 'gc-torn')
  await mkdir(folder, { recursive: true })
  await writeFile(join(folder, 'instance.json'), '{"instance": "gc-')
  t.match(await findOrphans(cache), [{ name: 'gc-torn', record: null, running: false }])
  await createInstance(cache, 'gc-torn', 'here')
  t.same(await findOrphans(cache), [], 'and stands in nobody’s way')
})

t.test('a name that leaves the folder is refused', async t => {
  for (const name of ['../x', '', '.', '..', '.hidden', 'a/b', 'a\0b', 'x'.repeat(300)]) {
    t.throws(
      () => instanceFolder('/cache', name),
      { message: /is not a valid instance name/ },
      JSON.stringify(name),
    )
  }
})
