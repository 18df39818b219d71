import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import type { AnyAuthMethod, AuthenticationType, ParsedKey, Prompt } from 'ssh2'
import { InfraError } from '../config/errors.js'
import { ChosenAgent } from './agent.js'
import type { Hop } from './hops.js'
import { parsePrivateKey, withSha512 } from './private-keys.js'
import { expandHome, resolveSecret, type SecretSources } from './secrets.js'
import { messageOf, peerText } from './trouble.js'

/** A key that is shown, and where it comes from; `path` where it lies in a file. */
interface ShownKey {
  readonly from: string
  readonly key: ParsedKey
  readonly path?: string
}

/** All that can be shown to a server, resolved for one connection and forgotten with it. */
export interface Credentials {
  readonly keys: readonly ShownKey[]
  /** The agent's socket, and which of its keys is shown: all of them if none is named. */
  readonly agent?: { readonly socket: string; readonly which?: string }
  /** Keys of the user's configuration that could not be read, and why. */
  readonly passedOver: readonly string[]
  readonly password?: string
  readonly sudoPassword?: string
  /** What must appear in no message. */
  readonly secrets: readonly string[]
}

/** Default keys of ssh(1), tried where neither lab nor configuration name any. */
const defaultKeys = ['~/.ssh/id_ed25519', '~/.ssh/id_ecdsa', '~/.ssh/id_rsa']

/** Resolves what the login refers to. Throws InfraError (`authentication`) naming what is missing. */
export async function resolveCredentials(
  hop: Hop,
  where: string,
  imageKeyPath: string | undefined,
  sources: SecretSources,
): Promise<Credentials> {
  const { login } = hop
  const secret = (reference: typeof login.password, what: string): Promise<string> | undefined =>
    reference === undefined ? undefined : resolveSecret(reference, { what, where }, sources)
  const password = await secret(login.password, 'the password')
  const passphrase = await secret(login.passphrase, "the key's passphrase")
  const sudoPassword = await secret(login.sudo?.password, 'the password for sudo')
  const { keys, agent, passedOver } = await resolveKeys(hop, where, { imageKeyPath, passphrase, sources })
  if (keys.length === 0 && agent === undefined && password === undefined) {
    const unread = passedOver.length === 0 ? '' : ` that can be used; ${passedOver.join('; ')}`
    throw refusal(
      where,
      `nothing to log in as ${login.user} with: the lab names neither key nor password${unread}`,
    )
  }
  return {
    keys,
    passedOver,
    ...(agent === undefined ? {} : { agent }),
    ...(password === undefined ? {} : { password }),
    ...(sudoPassword === undefined ? {} : { sudoPassword }),
    secrets: [password, passphrase, sudoPassword].filter(text => text !== undefined),
  }
}

interface KeySources {
  readonly imageKeyPath: string | undefined
  readonly passphrase: string | undefined
  readonly sources: SecretSources
}

async function resolveKeys(
  { login, identityFiles }: Hop,
  where: string,
  { imageKeyPath, passphrase, sources }: KeySources,
): Promise<Pick<Credentials, 'keys' | 'agent' | 'passedOver'>> {
  const { key } = login
  const socket = sources.environment.SSH_AUTH_SOCK
  if (key === undefined) {
    const files = identityFiles.length > 0 ? identityFiles : login.password === undefined ? defaultKeys : []
    const found = await Promise.all(files.map(file => presentKey(file, passphrase, sources)))
    const usesAgent = login.password === undefined && socket !== undefined && socket !== ''
    return {
      keys: found.flatMap(one => (one !== null && 'key' in one ? [one] : [])),
      passedOver: found.flatMap(one =>
        one !== null && 'why' in one ? [`the key ${one.from} ${one.why}`] : [],
      ),
      ...(usesAgent ? { agent: { socket } } : {}),
    }
  }
  if (key.kind === 'agent') {
    if (socket === undefined || socket === '') {
      throw refusal(where, 'the key is to come from the SSH agent, but SSH_AUTH_SOCK is not set')
    }
    const { which } = key
    return { keys: [], passedOver: [], agent: { socket, ...(which === undefined ? {} : { which }) } }
  }
  if (key.kind === 'image') {
    if (imageKeyPath === undefined) {
      throw refusal(where, 'the key is to be that of the image, but no image is known for it')
    }
    const text = await readFile(imageKeyPath).catch((error: unknown) => {
      throw refusal(where, `the image's key ${imageKeyPath} cannot be read: ${messageOf(error)}`)
    })
    return {
      ...noneKnown,
      keys: [
        { from: imageKeyPath, key: parseKey(text, passphrase, imageKeyPath, where), path: imageKeyPath },
      ],
    }
  }
  const text = await resolveSecret(key, { what: 'the private key', where }, sources)
  const from = key.kind === 'env' ? `$${key.name}` : key.path
  const path = key.kind === 'file' ? { path: key.path } : {}
  return { ...noneKnown, keys: [{ from, key: parseKey(`${text}\n`, passphrase, from, where), ...path }] }
}

const noneKnown: Pick<Credentials, 'passedOver'> = { passedOver: [] }

/** A key of the user's configuration: `null` where there is none, and why where it cannot be used. */
async function presentKey(
  file: string,
  passphrase: string | undefined,
  { home }: SecretSources,
): Promise<ShownKey | { from: string; why: string } | null> {
  const path = expandHome(file, home)
  const text = await readFile(path).catch((error: NodeJS.ErrnoException) => error)
  if (text instanceof Error) {
    return text.code === 'ENOENT'
      ? null
      : { from: file, why: `cannot be read (${text.code ?? text.message})` }
  }
  try {
    return { from: file, key: parsePrivateKey(text, passphrase, path), path }
  } catch (error) {
    return { from: file, why: messageOf(error) }
  }
}

function parseKey(
  text: string | Buffer,
  passphrase: string | undefined,
  from: string,
  where: string,
): ParsedKey {
  try {
    return parsePrivateKey(text, passphrase, from)
  } catch (error) {
    throw refusal(where, `the private key ${from} ${messageOf(error)}`)
  }
}

/** What went on while logging in, for the message when it fails. */
export interface AuthenticationLog {
  readonly tried: string[]
  accepted: readonly string[] | null
  readonly notes: string[]
  /** What the server said: its banner, and what PAM told through it. */
  readonly words: string[]
}

/** A prompt that asks for a password and hides what is typed. Others are not answered with it. */
const passwordPrompt = /pass(word|phrase|code)|kennwort|mot de passe|contrase|парол|密码|密碼|パスワード/i

interface Method {
  readonly name: AuthenticationType
  readonly what: string
  readonly method: AnyAuthMethod
}

/**
 * Shows credentials one after another, only what the server accepts, and each once: keys, agent,
 * password, keyboard-interactive. Calls `giveUp` when nothing is left.
 */
export function authenticator(
  user: string,
  credentials: Credentials,
  log: AuthenticationLog,
  giveUp: () => void,
): (
  accepted: AuthenticationType[] | null,
  partial: boolean | null,
  next: (m: AnyAuthMethod) => void,
) => void {
  const { agent, password } = credentials
  const waiting: Method[] = [
    ...keyMethods(user, credentials),
    ...(agent === undefined ? [] : [agentMethod(user, agent, log)]),
    ...(password === undefined ? [] : passwordMethods(user, password, log)),
  ]
  log.notes.push(...credentials.passedOver)
  return (accepted, _partial, next) => {
    log.accepted = accepted ?? log.accepted
    const index = waiting.findIndex(({ name }) => accepted === null || accepted.includes(name))
    const [chosen] = index < 0 ? [] : waiting.splice(index, 1)
    if (chosen === undefined) {
      log.notes.push(...certificatesOf(credentials))
      giveUp()
      return
    }
    log.tried.push(chosen.what)
    next(chosen.method)
  }
}

/** Says of user certificates that they were not shown: `ssh2` has none. Looked for only when a login was refused. */
function certificatesOf({ keys }: Credentials): string[] {
  return keys
    .flatMap(({ path }) => (path === undefined ? [] : [`${path}-cert.pub`]))
    .filter(file => existsSync(file))
    .map(file => {
      return `guestcert shows no user certificates, so not ${file}: add the key itself to authorized_keys`
    })
}

function keyMethods(user: string, { keys }: Credentials): Method[] {
  const method = (what: string, key: ParsedKey): Method => ({
    name: 'publickey',
    what,
    // ssh2 takes a parsed key too, though its types say otherwise for this method.
    method: { type: 'publickey', username: user, key } as AnyAuthMethod,
  })
  const again = keys.flatMap(({ from, key }) => {
    const variant = withSha512(key)
    return variant === null ? [] : [method(`key ${from} with rsa-sha2-512`, variant)]
  })
  return [...keys.map(({ from, key }) => method(`key ${from}`, key)), ...again]
}

function agentMethod(
  user: string,
  agent: { socket: string; which?: string },
  log: AuthenticationLog,
): Method {
  const onTrouble = (what: string): void => void log.notes.push(what)
  return {
    name: 'publickey',
    what: agent.which === undefined ? 'keys of the agent' : `key ${agent.which} of the agent`,
    method: { type: 'agent', username: user, agent: new ChosenAgent({ ...agent, onTrouble }) },
  }
}

function passwordMethods(user: string, password: string, log: AuthenticationLog): Method[] {
  let isGiven = false
  const answer = ({ prompt, echo }: Prompt): string => {
    if (echo !== true && passwordPrompt.test(prompt) && !isGiven) {
      isGiven = true
      return password
    }
    log.notes.push(`left unanswered: "${peerText(prompt)}"`)
    return ''
  }
  return [
    { name: 'password', what: 'password', method: { type: 'password', username: user, password } },
    {
      name: 'keyboard-interactive',
      what: 'keyboard-interactive',
      method: {
        type: 'keyboard-interactive',
        username: user,
        prompt: (name, instructions, _language, prompts, finish) => {
          log.words.push(...[name, instructions].map(text => peerText(text, longestWords)).filter(Boolean))
          finish(prompts.map(answer))
        },
      },
    },
  ]
}

/** What is kept of one text that the server says while logging in. */
export const longestWords = 500

/** The other side was reached, proved who it is, and lets nobody in with what was tried. */
export class RefusedLogin extends InfraError {
  /** Whether waiting may help: not for a password that has expired. */
  readonly mayPass: boolean

  constructor(where: string, what: string, mayPass = true) {
    super(`${where}: ${what}`, { cause: 'unknown', where, code: 'authentication' })
    this.mayPass = mayPass
  }
}

/** The error for what keeps us from trying to log in at all. */
export function refusal(where: string, what: string): InfraError {
  return new InfraError(`${where}: ${what}`, { cause: 'unknown', where, code: 'authentication' })
}
