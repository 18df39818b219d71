import { readFile } from 'node:fs/promises'
import { InfraError } from '../../config/errors.js'
import type { HostKeyRule } from '../../config/model.js'
import { type AcceptedKeys, pinKey, pinnedNow, readAccepted } from './accepted.js'
import { fingerprintOf, isSame, isSameFingerprint, typeOfKey } from './fingerprint.js'
import { type KnownHost, knownHostName, parseKnownHosts } from './known-hosts.js'

/** What is thought of a key that was presented. */
export type Judgement =
  | { readonly accepted: true; readonly isNew: boolean }
  | { readonly accepted: false; readonly why: string }

/** Decides which host keys are right. */
export interface HostKeyPolicy {
  /** The key types that are known to be right, as in `known_hosts`. */
  readonly knownTypes: readonly string[]
  /**
   * True when the right key's type is not known, as for a fingerprint alone: a wrong key of one type
   * says nothing of the others, so each is asked for before the machine is refused.
   */
  readonly asksEveryType: boolean
  judge(key: Buffer): Judgement
  /** Called once a log-in has succeeded with a key that is new. Throws InfraError (`host-key`). */
  pin?(key: Buffer): Promise<void>
}

/** Who is to prove itself. */
export interface HostKeySubject {
  readonly host: string
  readonly port: number
  readonly alias?: string
  /** What messages call it. */
  readonly where: string
  /** The fingerprint that `lab build` or the driver knows. */
  readonly imageHostKey?: string
  /** What the machine is called under `accept-new`, beside its address; an instance's own name is never written down. */
  readonly pinned?: { readonly name: string; readonly isInstance: boolean; readonly mayMove: boolean }
  /** Instead of the rule's own path. */
  readonly knownHostsFiles?: readonly string[]
}

/** Turns the lab's rule into a policy. Throws InfraError (`host-key`) when the rule has nothing to go by. */
export async function hostKeyPolicy(rule: HostKeyRule, subject: HostKeySubject): Promise<HostKeyPolicy> {
  switch (rule.kind) {
    case 'pinned':
      return pinned(rule.fingerprint, subject, 'hostKey in the lab')
    case 'image':
      if (subject.imageHostKey === undefined) {
        throw new InfraError(
          `${subject.where}: hostKey is "image", but no image's host key is known for it; write hostKey: SHA256:… or known_hosts`,
          { cause: 'runner', where: subject.where, code: 'host-key' },
        )
      }
      return pinned(subject.imageHostKey, subject, "the image's host key")
    case 'accept-new':
      return acceptNew(rule.path ?? null, subject)
    case 'known-hosts':
      return knownHosts(subject.knownHostsFiles ?? [rule.path], subject)
  }
}

function pinned(fingerprint: string, { where }: HostKeySubject, source: string): HostKeyPolicy {
  return {
    knownTypes: [],
    asksEveryType: true,
    judge: key =>
      isSameFingerprint(fingerprintOf(key), fingerprint)
        ? { accepted: true, isNew: false }
        : {
            accepted: false,
            why: `${where} proved another host key than the pinned one: seen ${seen(key)}, ${source} is ${fingerprint}; if the machine was made anew, change hostKey, else find out who answers there`,
          },
  }
}

/** Takes the first key, unless `known_hosts` or an earlier acceptance knows another. */
async function acceptNew(path: string | null, subject: HostKeySubject): Promise<HostKeyPolicy> {
  const { where, host, port, alias, pinned: named, knownHostsFiles = [] } = subject
  const address = knownHostName(host, port, alias)
  const keys: AcceptedKeys = {
    path: named?.isInstance === true ? null : path,
    names: [...(named === undefined ? [] : [named.name]), ...(named?.mayMove === true ? [] : [address])],
  }
  const known = await knownHosts(knownHostsFiles, subject)
  const before = await readAccepted(keys)
  return {
    knownTypes: [...new Set([...before.flatMap(({ key }) => typeOfKey(key) ?? []), ...known.knownTypes])],
    asksEveryType: false,
    judge: key => {
      const judgement = known.knownTypes.length > 0 ? known.judge(key) : null
      const all = [...before, ...pinnedNow(keys)]
      const other = all.find(one => !isSame(one.key, key))
      if (judgement?.accepted === false) {
        return judgement
      }
      if (other !== undefined && !all.some(one => isSame(one.key, key))) {
        const why = `${where} proved another host key than the one that was accepted: seen ${seen(key)}, accepted ${fingerprintOf(other.key)} (${other.from}); if the machine was made anew, remove that line, else find out who answers there`
        return { accepted: false, why }
      }
      return { accepted: true, isNew: judgement === null && all.length === 0 }
    },
    pin: key => pinKey(keys, key, where),
  }
}

async function knownHosts(files: readonly string[], subject: HostKeySubject): Promise<HostKeyPolicy> {
  const name = knownHostName(subject.host, subject.port, subject.alias)
  const read = await Promise.all(files.map(async file => ({ file, ...parseKnownHosts(await textOf(file)) })))
  const about = read.flatMap(({ file, entries }) =>
    entries.filter(({ matches }) => matches(name)).map(entry => ({ ...entry, file })),
  )
  const right = about.filter(({ marker }) => marker === 'none')
  const passedOver = read.flatMap(({ file, unreadable }) => unreadable.map(line => `${file}:${line}`))
  return {
    knownTypes: [...new Set(right.map(({ type }) => type))],
    asksEveryType: false,
    judge: key => judgeKnown(key, { name, about, right, files, passedOver, where: subject.where }),
  }
}

interface Known {
  readonly name: string
  readonly about: readonly (KnownHost & { file: string })[]
  readonly right: readonly (KnownHost & { file: string })[]
  readonly files: readonly string[]
  readonly passedOver: readonly string[]
  readonly where: string
}

function judgeKnown(key: Buffer, { name, about, right, files, passedOver, where }: Known): Judgement {
  const revoked = about.find(entry => entry.marker === 'revoked' && isSame(entry.key, key))
  if (revoked !== undefined) {
    const why = `${where} proved a host key that ${revoked.file}:${revoked.line} revokes: ${seen(key)}; it must not be trusted`
    return { accepted: false, why }
  }
  if (right.some(entry => isSame(entry.key, key))) {
    return { accepted: true, isNew: false }
  }
  const type = typeOfKey(key)
  const changed = right.find(entry => entry.type === type) ?? right[0]
  if (changed !== undefined) {
    const what = changed.type === type ? 'another host key than' : 'a host key of another type than'
    const why = `${where} proved ${what} ${changed.file}:${changed.line} knows for ${name}: seen ${seen(key)}, known ${fingerprintOf(changed.key)}; if the machine was made anew, remove that line, else find out who answers there`
    return { accepted: false, why }
  }
  const authority = about.some(({ marker }) => marker === 'cert-authority')
    ? '; its @cert-authority line is of no use here, as host certificates are not spoken'
    : ''
  const unread = passedOver.length === 0 ? '' : `; lines passed over as unreadable: ${passedOver.join(', ')}`
  const why = `the host key of ${where} is not known: ${files.join(', ')} has no line for ${name}; seen ${seen(key)}; compare it on the machine's console, then write hostKey: ${fingerprintOf(key)} in the lab${authority}${unread}`
  return { accepted: false, why }
}

function seen(key: Buffer): string {
  return `${fingerprintOf(key)} (${typeOfKey(key) ?? 'of no readable type'})`
}

/** A file that is not there knows no host. */
async function textOf(file: string): Promise<string> {
  return readFile(file, 'utf8').catch(() => '')
}
