import { InfraError } from '../../config/errors.js'
import { bounded, type Limit } from '../limit.js'
import type { QmpClient } from './qmp.js'
import { isRecord, type QmpEvent } from './qmp-message.js'

/** QEMU takes a name of digits for a number of its own. */
const tagPrefix = 'gc-'
const namePattern = /^[\w.-]{1,64}$/

/** What snapshots are made of: the memory goes into the first node. */
export interface SnapshotTarget {
  readonly qmp: QmpClient
  readonly where: string
  readonly nodes: readonly string[]
  readonly limit: Limit
}

type SnapshotCommand = 'snapshot-save' | 'snapshot-load' | 'snapshot-delete'

let lastJob = 0

/** Writes memory and disks under a name, in place of what had it. */
export async function saveSnapshot(target: SnapshotTarget, name: string, signal: AbortSignal): Promise<void> {
  await runJob(target, 'snapshot-delete', name, signal)
  await runJob(target, 'snapshot-save', name, signal)
}

/** Forgets what is kept under a name, if anything is. */
export async function deleteSnapshot(
  target: SnapshotTarget,
  name: string,
  signal: AbortSignal,
): Promise<void> {
  await runJob(target, 'snapshot-delete', name, signal)
}

/**
 * Brings memory and disks back to what they were under a name. The guest is left alone when there is no such
 * snapshot; when loading fails in the middle, it stands still.
 */
export async function loadSnapshot(target: SnapshotTarget, name: string, signal: AbortSignal): Promise<void> {
  const { qmp, limit, where, nodes } = target
  const known = snapshotsOf(
    await qmp.execute('query-named-block-nodes', { flat: true }, limit, signal),
    nodes,
  )
  if (!known.includes(name)) {
    throw refused(where, `there is no snapshot "${name}": there are ${known.join(', ') || 'none'}`)
  }
  await runJob(target, 'snapshot-load', name, signal)
}

/** Runs one of QEMU's background jobs to its end and forgets it. */
async function runJob(
  target: SnapshotTarget,
  command: SnapshotCommand,
  name: string,
  signal: AbortSignal,
): Promise<void> {
  const { qmp, nodes, limit, where } = target
  const [first] = nodes
  if (!namePattern.test(name) || first === undefined) {
    throw refused(where, `"${name}" is not a valid snapshot name: use letters, digits, ".", "_" and "-"`)
  }
  const job = `${command}-${++lastJob}`
  const vmstate = command === 'snapshot-delete' ? {} : { vmstate: first }
  const { concluded, stop } = watchJob(target, job)
  try {
    const args = { 'job-id': job, tag: `${tagPrefix}${name}`, devices: nodes, ...vmstate }
    await qmp.execute(command, args, limit, signal)
    await bounded(concluded, where, `${command} ${name}`, limit, signal)
    const error = errorOf(await qmp.execute('query-jobs', {}, limit, signal), job)
    await qmp.execute('job-dismiss', { id: job }, limit, signal)
    if (error !== null) {
      throw refused(where, `${command} ${name}: ${error}`)
    }
  } finally {
    stop()
  }
}

function watchJob(
  { qmp, where }: SnapshotTarget,
  job: string,
): { concluded: Promise<void>; stop: () => void } {
  let stop = (): void => {}
  const concluded = new Promise<void>((resolve, reject) => {
    const stopEvents = qmp.onEvent(event => {
      if (isConcluded(event, job)) {
        resolve()
      }
    })
    const lost = (): void => reject(refused(where, `QEMU ended during ${job}`))
    qmp.closed.addEventListener('abort', lost)
    stop = () => {
      stopEvents()
      qmp.closed.removeEventListener('abort', lost)
    }
  })
  concluded.catch(() => {})
  return { concluded, stop: () => stop() }
}

/** The names of the snapshots that the first of the nodes holds. */
function snapshotsOf(answer: unknown, nodes: readonly string[]): string[] {
  const list: readonly unknown[] = Array.isArray(answer) ? answer : []
  const node = list.filter(isRecord).find(entry => entry['node-name'] === nodes[0])
  const image = isRecord(node?.image) ? node.image : {}
  const snapshots: readonly unknown[] = Array.isArray(image.snapshots) ? image.snapshots : []
  return snapshots
    .filter(isRecord)
    .map(({ name }) => String(name))
    .filter(tag => tag.startsWith(tagPrefix))
    .map(tag => tag.slice(tagPrefix.length))
}

function isConcluded({ name, data }: QmpEvent, job: string): boolean {
  return name === 'JOB_STATUS_CHANGE' && data.id === job && data.status === 'concluded'
}

/** Why the job failed; `null` only when QEMU says that it concluded without an error. */
function errorOf(jobs: unknown, id: string): string | null {
  const list: readonly unknown[] = Array.isArray(jobs) ? jobs : []
  const job = list.filter(isRecord).find(entry => entry.id === id)
  if (job === undefined) {
    return 'QEMU no longer knows how it ended'
  }
  return job.error === undefined && job.status === 'concluded' ? null : String(job.error ?? job.status)
}

function refused(where: string, why: string): InfraError {
  return new InfraError(`${where}: ${why}`, { cause: 'host', where, code: 'driver' })
}
