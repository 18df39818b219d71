import { readFile } from 'node:fs/promises'
import ssh2, { type AnyAuthMethod, type AuthenticationType, type ParsedKey, type Prompt } from 'ssh2'
import { InfraError } from '../config/errors.js'
import type { Leg } from './legs.js'
import { expandHome, resolveSecret, type SecretSources } from './secrets.js'
import { messageOf, peerText } from './trouble.js'

/** All that can be shown to a server, resolved for one connection and forgotten with it. */
export interface Credentials {
  readonly keys: readonly { readonly from: string; readonly key: ParsedKey }[]
  readonly agent?: string
  readonly password?: string
  readonly sudoPassword?: string
  /** What must appear in no message. */
  readonly secrets: readonly string[]
}

/** Default keys of ssh(1), tried where neither lab nor configuration name any. */
const defaultKeys = ['~/.ssh/id_ed25519', '~/.ssh/id_ecdsa', '~/.ssh/id_rsa']

/** Resolves what the login refers to. Throws InfraError (`authentication`) naming what is missing. */
export async function resolveCredentials(
  leg: Leg,
  where: string,
  imageKeyPath: string | undefined,
  sources: SecretSources,
): Promise<Credentials> {
  const { login } = leg
  const secret = (reference: typeof login.password, what: string): Promise<string> | undefined =>
    reference === undefined ? undefined : resolveSecret(reference, { what, where }, sources)
  const password = await secret(login.password, 'the password')
  const passphrase = await secret(login.passphrase, "the key's passphrase")
  const sudoPassword = await secret(login.sudo?.password, 'the password for sudo')
  const { keys, agent } = await resolveKeys(leg, where, { imageKeyPath, passphrase, sources })
  if (keys.length === 0 && agent === undefined && password === undefined) {
    throw refusal(where, `nothing to log in as ${login.user} with: the lab names neither key nor password`)
  }
  return {
    keys,
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
  { login, identityFiles }: Leg,
  where: string,
  { imageKeyPath, passphrase, sources }: KeySources,
): Promise<{ keys: Credentials['keys']; agent?: string }> {
  const { key } = login
  const socket = sources.environment.SSH_AUTH_SOCK
  if (key === undefined) {
    const files = identityFiles.length > 0 ? identityFiles : login.password === undefined ? defaultKeys : []
    const found = await Promise.all(files.map(file => presentKey(file, passphrase, sources)))
    const usesAgent = login.password === undefined && socket !== undefined && socket !== ''
    return { keys: found.filter(one => one !== null), ...(usesAgent ? { agent: socket } : {}) }
  }
  if (key.kind === 'agent') {
    if (socket === undefined || socket === '') {
      throw refusal(where, 'the key is to come from the SSH agent, but SSH_AUTH_SOCK is not set')
    }
    return { keys: [], agent: socket }
  }
  if (key.kind === 'image') {
    if (imageKeyPath === undefined) {
      throw refusal(where, 'the key is to be that of the image, but no image is known for it')
    }
    const text = await readFile(imageKeyPath).catch((error: unknown) => {
      throw refusal(where, `the image's key ${imageKeyPath} cannot be read: ${messageOf(error)}`)
    })
    return { keys: [{ from: imageKeyPath, key: parseKey(text, passphrase, imageKeyPath, where) }] }
  }
  const text = await resolveSecret(key, { what: 'the private key', where }, sources)
  const from = key.kind === 'env' ? `$${key.name}` : key.path
  return { keys: [{ from, key: parseKey(`${text}\n`, passphrase, from, where) }] }
}

/** A key of the user's configuration; one that is not there, or asks for a passphrase, is passed over. */
async function presentKey(
  file: string,
  passphrase: string | undefined,
  { home }: SecretSources,
): Promise<{ from: string; key: ParsedKey } | null> {
  try {
    return { from: file, key: parseKey(await readFile(expandHome(file, home)), passphrase, file, file) }
  } catch {
    return null
  }
}

function parseKey(
  text: string | Buffer,
  passphrase: string | undefined,
  from: string,
  where: string,
): ParsedKey {
  const key = ssh2.utils.parseKey(text, passphrase)
  const parsed: ParsedKey | Error | undefined = Array.isArray(key) ? key[0] : key
  if (parsed instanceof Error || parsed === undefined) {
    throw refusal(where, `the private key ${from} ${whyUnusable(parsed, passphrase)}`)
  }
  if (!parsed.isPrivateKey()) {
    throw refusal(where, `${from} is a public key; the private one is needed`)
  }
  return parsed
}

function whyUnusable(error: Error | undefined, passphrase: string | undefined): string {
  const text = error?.message ?? 'holds no key'
  if (/encrypted|passphrase|integrity|bad decrypt/i.test(text)) {
    return passphrase === undefined
      ? 'is encrypted; name its passphrase in the lab (passphrase: env:… or file:…)'
      : 'cannot be decrypted with the passphrase given'
  }
  return `cannot be used: ${peerText(text)}`
}

/** What went on while logging in, for the message when it fails. */
export interface AuthenticationLog {
  readonly tried: string[]
  accepted: readonly string[] | null
  readonly notes: string[]
}

/** A prompt that asks for a password and hides what is typed. Others are not answered with it. */
const passwordPrompt = /pass(word|phrase|code)|kennwort|mot de passe|contrase|парол|密码|密碼|パスワード/i

/**
 * Shows credentials one after another, only what the server accepts, and each once: keys, agent,
 * password, keyboard-interactive. Calls `giveUp` when nothing is left.
 */
export function authenticator(
  user: string,
  { keys, agent, password }: Credentials,
  log: AuthenticationLog,
  giveUp: () => void,
): (
  accepted: AuthenticationType[] | null,
  partial: boolean | null,
  next: (m: AnyAuthMethod) => void,
) => void {
  const waiting: { name: AuthenticationType; what: string; method: AnyAuthMethod }[] = [
    ...keys.map(({ from, key }) => ({
      name: 'publickey' as const,
      what: `key ${from}`,
      // ssh2 takes a parsed key too, though its types say otherwise for this method.
      method: { type: 'publickey' as const, username: user, key },
    })),
    ...(agent === undefined
      ? []
      : [
          {
            name: 'publickey' as const,
            what: 'keys of the agent',
            method: { type: 'agent' as const, username: user, agent },
          },
        ]),
    ...(password === undefined ? [] : passwordMethods(user, password, log)),
  ]
  return (accepted, _partial, next) => {
    log.accepted = accepted ?? log.accepted
    const index = waiting.findIndex(({ name }) => accepted === null || accepted.includes(name))
    const [chosen] = index < 0 ? [] : waiting.splice(index, 1)
    if (chosen === undefined) {
      giveUp()
      return
    }
    log.tried.push(chosen.what)
    next(chosen.method)
  }
}

function passwordMethods(
  user: string,
  password: string,
  log: AuthenticationLog,
): { name: AuthenticationType; what: string; method: AnyAuthMethod }[] {
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
        prompt: (_name, _instructions, _language, prompts, finish) => finish(prompts.map(answer)),
      },
    },
  ]
}

/** The error that ends a log-in for good. */
/** The other side was reached, proved who it is, and lets nobody in with what was tried. */
export class RefusedLogin extends InfraError {
  constructor(where: string, what: string) {
    super(`${where}: ${what}`, { cause: 'unknown', where, code: 'authentication' })
  }
}

export function refusal(where: string, what: string): InfraError {
  return new InfraError(`${where}: ${what}`, { cause: 'unknown', where, code: 'authentication' })
}
