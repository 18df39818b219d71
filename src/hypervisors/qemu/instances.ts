import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { InfraError } from '../../config/errors.js'
import { identityOf, isAlive, processIdentity } from '../../config/process-identity.js'
import { instancesFolder } from '../shared/cache.js'

/** What `instance.json` holds, so that others can find what a dead runner left. */
const recordSchema = z.object({
  instance: z.string(),
  host: z.string(),
  runner: processIdentity,
  qemu: processIdentity.nullable(),
  createdAt: z.string(),
  port: z.int().nullable(),
  kept: z.boolean(),
})

export type InstanceRecord = z.infer<typeof recordSchema>

/** An instance whose runner is dead. */
export interface Orphan {
  readonly folder: string
  readonly name: string
  /** `null` when its record cannot be read: then only files are left. */
  readonly record: InstanceRecord | null
  /** True when its QEMU still runs. */
  readonly running: boolean
}

const recordFile = 'instance.json'
const namePattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,199}$/

/** The folder of an instance. Its name comes from the run; one that leaves the folder is refused. */
export function instanceFolder(cacheFolder: string, instance: string): string {
  if (!namePattern.test(instance)) {
    throw new InfraError(`"${instance}" is not a valid instance name`, {
      cause: 'runner',
      where: instance,
      code: 'driver',
    })
  }
  return join(instancesFolder(cacheFolder), instance)
}

/** Makes an instance's folder and writes its record; throws when the instance exists and its runner lives. */
export async function createInstance(cacheFolder: string, instance: string, host: string): Promise<string> {
  const folder = instanceFolder(cacheFolder, instance)
  const [former] = await orphansOf(cacheFolder, [instance])
  if (former !== undefined) {
    await removeOrphan(former)
  }
  await mkdir(instancesFolder(cacheFolder), { recursive: true, mode: 0o700 })
  try {
    await mkdir(folder, { mode: 0o700 })
  } catch (error) {
    const message = `the instance ${instance} is there already, and its runner lives`
    throw new InfraError(message, { cause: 'runner', where: instance, code: 'driver' }, { cause: error })
  }
  await writeRecord(folder, {
    instance,
    host,
    runner: identityOf(process.pid),
    qemu: null,
    createdAt: new Date().toISOString(),
    port: null,
    kept: false,
  })
  return folder
}

/** Changes an instance's record, whole or not at all. */
export async function updateInstance(
  folder: string,
  change: Partial<Pick<InstanceRecord, 'qemu' | 'port' | 'kept'>>,
): Promise<void> {
  const record = await readRecord(folder)
  if (record !== null) {
    await writeRecord(folder, { ...record, ...change })
  }
}

/** Removes an instance's files; again, if need be. */
export async function removeInstance(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true })
}

/** Every instance whose runner is dead, kept ones too: whoever kept one removes it with {@link removeOrphan}. */
export async function findOrphans(cacheFolder: string): Promise<Orphan[]> {
  const names = await readdir(instancesFolder(cacheFolder)).catch(() => [])
  return await orphansOf(cacheFolder, names)
}

/** Ends an orphan's QEMU, if it is still the one that was started, and removes its files. */
export async function removeOrphan({ folder, record }: Pick<Orphan, 'folder' | 'record'>): Promise<void> {
  const qemu = record?.qemu
  if (qemu && isAlive(qemu)) {
    process.kill(qemu.pid, 'SIGKILL')
  }
  await removeInstance(folder)
}

async function orphansOf(cacheFolder: string, names: readonly string[]): Promise<Orphan[]> {
  const orphans: Orphan[] = []
  for (const name of names) {
    const folder = join(instancesFolder(cacheFolder), name)
    const record = await readRecord(folder)
    const exists =
      record !== null ||
      (await readdir(folder).then(
        () => true,
        () => false,
      ))
    if (exists && (record === null || !isAlive(record.runner))) {
      orphans.push({ folder, name, record, running: record?.qemu != null && isAlive(record.qemu) })
    }
  }
  return orphans
}

/** What is written down of an instance; `null` where nothing can be read. */
export async function readRecord(folder: string): Promise<InstanceRecord | null> {
  try {
    return recordSchema.parse(JSON.parse(await readFile(join(folder, recordFile), 'utf8')))
  } catch {
    return null
  }
}

async function writeRecord(folder: string, record: InstanceRecord): Promise<void> {
  const file = join(folder, recordFile)
  await writeFile(`${file}.new`, `${JSON.stringify(record, null, 2)}\n`, { mode: 0o600 })
  await rename(`${file}.new`, file)
}
