import type { LeaseAnswer, LeaseQuestion } from '../../remote/index.js'
import {
  type Attribute,
  listAttributes,
  makeAttribute,
  readAttributes,
  removeAttribute,
  writeAttribute,
} from './attributes.js'
import { type LeaseRecord, readRecord, writeRecord } from './lease-record.js'
import type { SiteHost } from './site.js'
import type { CallOptions, Session } from './soap/session.js'

/** One generation of a lease: its fencing token and the attribute that keeps it. */
interface Generation {
  readonly number: number
  readonly attribute: Attribute
}

/** What stands at the server at one moment. */
interface Look {
  readonly top: Generation | undefined
  readonly all: readonly Generation[]
  readonly record: LeaseRecord | null
  readonly nowSec: number
}

/** As often as somebody else may make the next generation first. */
const mostTries = 5

/**
 * The lease of a host, in custom attributes of its vCenter: one a generation, made by `AddCustomFieldDef`, which fails
 * where the name is taken, so that of all who want the next one, one gets it. Its text on the host says whose it is. The
 * rules are those of the lease in a folder (remote/lease/script.ts): the highest generation is the lease, it is never
 * removed, and whoever takes an expired one over looks at it again once the next one is made, as an owner looks for
 * a next one once it has renewed its own. Only the server's clock is asked.
 */
export async function answerLease(
  session: Session,
  host: SiteHost,
  question: LeaseQuestion,
  options: CallOptions,
): Promise<string> {
  if (!(await session.content(options)).isVcenter) {
    return 'gc-lease broken 0 0\nwhy an ESXi host by itself has no custom attributes: connect to its vCenter\ngc-end\n'
  }
  const prefix = `gc-lease ${host.name} `
  const look = async (): Promise<Look> => {
    const all = generationsIn((await listAttributes(session, options)) ?? [], prefix)
    const [top] = all
    const texts = top === undefined ? null : await readAttributes(session, host.self, options)
    const record = top === undefined ? null : readRecord(texts?.get(top.attribute.key) ?? '')
    return { top, all, record, nowSec: await serverSec(session, options) }
  }
  const write = (at: Generation, state: LeaseRecord['state'], renewal: number, nowSec: number) => {
    const { id, ttlSec, everySec, about } = question
    const text = writeRecord({ state, id, untilSec: nowSec + ttlSec, ttlSec, everySec, renewal, about })
    return writeAttribute(session, host.self, at.attribute, text, options)
  }
  const renew = async (
    seen: Look,
    state: LeaseRecord['state'],
    word: LeaseAnswer['word'],
  ): Promise<string | null> => {
    const { top, record } = seen
    if (top === undefined || record === null || record.id !== question.id || record.state === 'released') {
      return null
    }
    await write(top, state, record.renewal + 1, seen.nowSec)
    const after = await look()
    if (after.top?.number === top.number) {
      return answerOf(word, after)
    }
    await removeAttribute(session, top.attribute, options)
    return null
  }
  const take = async (): Promise<string> => {
    for (let tries = 0; tries < mostTries; tries += 1) {
      const seen = await look()
      const kept = seen.record?.state === 'held' ? await renew(seen, 'held', 'taken') : null
      if (kept !== null) {
        return kept
      }
      const word = wordOf(seen)
      if (word === 'held' || (word === 'stale' && markOf(seen) !== question.mine)) {
        return answerOf(word, seen)
      }
      const answer = await next(seen, word)
      if (answer !== null) {
        return answer
      }
    }
    return answerOf('held', await look())
  }
  /** Makes the next generation; `null` when somebody else did. */
  const next = async (seen: Look, word: LeaseAnswer['word']): Promise<string | null> => {
    const number = (seen.top?.number ?? 0) + 1
    const attribute = await makeAttribute(session, `${prefix}${number}`, 'HostSystem', options)
    if (attribute === null) {
      return null
    }
    const mine = { number, attribute }
    await write(mine, 'held', 0, seen.nowSec)
    const after = await look()
    if (after.top?.number !== number) {
      await removeAttribute(session, attribute, options)
      return null
    }
    const before = after.all[1]
    if (word === 'stale' && before !== undefined) {
      const texts = await readAttributes(session, host.self, options)
      const again = { ...after, top: before, record: readRecord(texts.get(before.attribute.key) ?? '') }
      if (markOf(again) !== question.mine) {
        await removeAttribute(session, attribute, options)
        return answerOf(wordOf(again), again)
      }
    }
    for (const old of after.all.slice(1)) {
      await removeAttribute(session, old.attribute, options)
    }
    return answerOf('taken', after)
  }
  switch (question.what) {
    case 'look': {
      const seen = await look()
      return answerOf(wordOf(seen), seen)
    }
    case 'take':
      return take()
    case 'renew':
    case 'release': {
      const seen = await look()
      const isMine = String(seen.top?.number ?? 0) === question.mine
      const [state, word] =
        question.what === 'renew' ? (['held', 'kept'] as const) : (['released', 'free'] as const)
      const kept = isMine ? await renew(seen, state, word) : null
      return kept ?? answerOf('lost', await look())
    }
  }
}

/** The generations of a lease, the highest first. */
function generationsIn(attributes: readonly Attribute[], prefix: string): readonly Generation[] {
  return attributes
    .filter(({ name }) => name.startsWith(prefix) && /^[1-9]\d{0,8}$/.test(name.slice(prefix.length)))
    .map(attribute => ({ number: Number(attribute.name.slice(prefix.length)), attribute }))
    .sort((one, other) => other.number - one.number)
}

function wordOf({ top, record, nowSec }: Look): 'free' | 'stale' | 'held' {
  if (top === undefined || record?.state === 'released') {
    return 'free'
  }
  const leftSec = (record?.untilSec ?? 0) - nowSec
  return record === null || leftSec <= 0 || leftSec > record.ttlSec ? 'stale' : 'held'
}

function markOf({ top, record }: Pick<Look, 'top' | 'record'>): string {
  return `${top?.number ?? 0}.${record?.renewal ?? 0}`
}

/** What the script of a lease in a folder would have printed. */
function answerOf(word: LeaseAnswer['word'], { top, record, nowSec }: Look): string {
  const lines = record === null ? [] : [record.text]
  return [`gc-lease ${word} ${top?.number ?? 0} ${nowSec}`, ...lines, 'gc-end', ''].join('\n')
}

async function serverSec(session: Session, options: CallOptions): Promise<number> {
  const self = { type: 'ServiceInstance', value: 'ServiceInstance' }
  const now = await session.call({ self, method: 'CurrentTime' }, options)
  return Math.floor(Date.parse(now?.text ?? '') / 1000)
}
