import { InfraError } from '../config/errors.js'
import { type HostKeyKind, hostKeyAlgorithms } from './algorithms.js'
import { longestWords, resolveCredentials } from './authentication.js'
import { defaultKnownHosts, type Hop, hopsTo } from './hops.js'
import { hostKeyPolicy } from './host-keys/policy.js'
import type { Machine } from './machine.js'
import { expandHome, type SecretSources, secretSources } from './secrets.js'
import { openSession, type Session, type SessionRequest, WrongHostKey } from './session.js'
import { asFirstContact, demandBelievable, firstStatus } from './shells/first-contact.js'
import { readSshConfig } from './ssh-config.js'
import { markOf, SshMachine } from './ssh-machine.js'
import { Stillness } from './stillness.js'
import { type ConnectOptions, type ConnectTarget, defaultChannels } from './target.js'
import { openTcp } from './tcp.js'
import { peerText, scrubbed, scrubber } from './trouble.js'

const defaultConfigPath = '~/.ssh/config'

/**
 * Connects to a machine, through its jumps, and logs in. Every step has a limit of its own. Throws
 * InfraError: `connect`, `handshake`, `lost` and `limit` for what may be mended by trying again,
 * `host-key` and `authentication` for what will not.
 */
export async function connect(target: ConnectTarget, options: ConnectOptions = {}): Promise<Machine> {
  const sources = secretSources(options)
  const path = options.sshConfigPath === undefined ? defaultConfigPath : options.sshConfigPath
  const config = await readSshConfig(path, sources.home, sources.environment)
  const hops = hopsTo(target.endpoint, target.login, config, sources)
  const jumps: Machine[] = []
  let machine = target.via
  try {
    for (const hop of hops) {
      machine = await connectHop(target, hop, machine, hop.isJump ? [] : [...jumps].reverse(), {
        options,
        sources,
      })
      if (hop.isJump) {
        jumps.push(machine)
      }
    }
    if (machine === undefined) {
      throw new InfraError(`${target.label}: there is no route to it`, {
        cause: 'runner',
        where: target.label,
        code: 'connect',
      })
    }
    if (options.become !== undefined && machine instanceof SshMachine) {
      return await options.become(machine, target)
    }
    await answerFirst(machine, target, options.firstCommand)
    return machine
  } catch (error) {
    await Promise.all([machine, ...jumps].map(one => (one === target.via ? undefined : one?.close())))
    throw error
  }
}

interface LegContext {
  readonly options: ConnectOptions
  readonly sources: SecretSources
}

async function connectHop(
  target: ConnectTarget,
  hop: Hop,
  via: Machine | undefined,
  jumps: readonly Machine[],
  { options, sources }: LegContext,
): Promise<Machine> {
  const { label, image, limits, signal } = target
  const where = hop.isJump ? `${label}, at the jump host ${hop.name}` : label
  const { hostKey: rule } = hop.login
  const files = hop.knownHostsFiles ?? [rule.kind === 'known-hosts' ? rule.path : defaultKnownHosts]
  const policy = await hostKeyPolicy(rule, {
    host: hop.host,
    port: hop.port,
    where,
    ...(hop.hostKeyAlias === undefined ? {} : { alias: hop.hostKeyAlias }),
    knownHostsFiles: files.map(file => expandHome(file, sources.home)),
    ...(target.pinned === undefined || hop.isJump ? {} : { pinned: target.pinned }),
    ...(image?.hostKey === undefined ? {} : { imageHostKey: image.hostKey }),
  })
  const credentials = await resolveCredentials(hop, where, image?.keyPath, sources)
  const scrub = scrubber(credentials.secrets, [hop.login.user, hop.host, hop.name, label])
  const stillness = (hop.isJump ? undefined : options.stillness) ?? new Stillness()
  try {
    const base = { hop, policy, credentials, limits, where, stillness }
    const open = (until: AbortSignal): Promise<Session> =>
      openAnyKeyType({ ...base, signal: until }, async () => {
        const stream = await openTcp({
          host: hop.host,
          port: hop.port,
          where,
          limitMs: limits.tcp,
          stillness,
          signal: until,
          ...(via === undefined ? {} : { via }),
        })
        if (!hop.isJump) {
          options.onOpen?.()
        }
        return stream
      })
    const machineOn = (session: Session, along: readonly Machine[]): SshMachine =>
      new SshMachine({
        session,
        label: where,
        limits,
        mark: markOf(options.mark ?? 'guestcert'),
        channels: options.channels ?? defaultChannels,
        sudo: sudoOf(hop, credentials.sudoPassword),
        scrub,
        stillness,
        // Whoever asked for the first connection may have let go of its signal; this one has its limits alone.
        another: async () => machineOn(await open(new AbortController().signal), []),
        jumps: along,
      })
    const session = await open(signal)
    const machine = machineOn(session, jumps)
    if (session.isNewKey) {
      await policy.pin?.(session.hostKey).catch(async (error: unknown) => {
        await machine.close()
        throw error
      })
    }
    return machine
  } catch (error) {
    throw scrubbed(withProxyHint(error, hop), scrub)
  }
}

/** A ProxyCommand of the user's may be the only way, and is not carried out: say so. */
function withProxyHint(error: unknown, { hasProxyCommand, name }: Hop): unknown {
  return hasProxyCommand && error instanceof InfraError && error.context.code === 'connect'
    ? new InfraError(
        `${error.message}; the SSH configuration has a ProxyCommand for ${name}, which is not carried out: name a jump host in the lab`,
        error.context,
      )
    : error
}

function sudoOf(hop: Hop, password: string | undefined): { password?: string } | null {
  return hop.login.sudo === undefined || hop.isJump ? null : password === undefined ? {} : { password }
}

/**
 * A fingerprint does not say of what type its key is. A server that proves a wrong key of one type is
 * asked for its other types, on a new connection each, before it is refused.
 */
async function openAnyKeyType(
  base: Omit<SessionRequest, 'stream' | 'without'>,
  open: () => Promise<SessionRequest['stream']>,
): Promise<Session> {
  const without = new Set<HostKeyKind>()
  let refused: WrongHostKey | null = null
  for (;;) {
    try {
      return await openSession({ ...base, stream: await open(), without })
    } catch (error) {
      if (refused !== null && hasNoOtherKey(error)) {
        throw refused
      }
      if (!(error instanceof WrongHostKey) || error.kind === null || !base.policy.asksEveryType) {
        throw error
      }
      refused ??= error
      without.add(error.kind)
      if (hostKeyAlgorithms(base.hop.login.algorithms, { first: [], without }).length === 0) {
        throw refused
      }
    }
  }
}

/** The other types were asked for, and the server has none of them. */
function hasNoOtherKey(error: unknown): boolean {
  return (
    error instanceof InfraError && error.context.code === 'handshake' && error.context.cause === 'unknown'
  )
}

/**
 * sshd may answer before the guest can do anything: only a command that ends says that it can. It ends with a status
 * made up for it, so that a server that invents statuses is found out.
 */
async function answerFirst(
  machine: Machine,
  { label, limits, signal }: ConnectTarget,
  command: string | undefined,
): Promise<void> {
  if (command === undefined) {
    return
  }
  const status = firstStatus()
  const { exit, stdout, stderr } = await machine
    .run(`{ ${command}\n}||exit;exit ${status}`, {
      signal,
      limitMs: limits.firstCommand,
      limitName: 'firstCommand',
    })
    .catch((error: unknown) => {
      throw asFirstContact(error)
    })
  if (exit.kind === 'code' && exit.code === status) {
    return
  }
  demandBelievable(exit, status, label)
  const isLimit = exit.kind === 'limit' && !signal.aborted
  const how = exit.kind === 'code' ? `ended with status ${exit.code}` : exit.kind
  const what = isLimit ? `did not end within the limit "firstCommand" of ${limits.firstCommand} ms` : how
  const said = peerText(`${stdout.text} ${stderr.text}`, longestWords)
  throw new InfraError(`${label}: the first command ${what}${said === '' ? '' : `: ${said}`}`, {
    cause: signal.aborted ? 'runner' : 'guest',
    where: label,
    code: signal.aborted ? 'cancelled' : isLimit ? 'limit' : exit.kind === 'lost' ? 'lost' : 'command',
    ...(isLimit ? { limit: 'firstCommand' } : {}),
  })
}
