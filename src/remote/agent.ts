import { readFile } from 'node:fs/promises'
import ssh2, {
  type IdentityCallback,
  type ParsedKey,
  type SignCallback,
  type SigningRequestOptions,
} from 'ssh2'
import { fingerprintOf, isSameFingerprint } from './host-keys/fingerprint.js'
import { withSha512 } from './private-keys.js'
import { messageOf, peerText } from './trouble.js'

/** Which keys of an agent are shown; all of them if nothing is said. */
export interface AgentChoice {
  readonly socket: string
  /** A fingerprint, a comment, or the path of a public key file. */
  readonly which?: string
  /** Told what keeps the agent's keys from being shown. */
  readonly onTrouble: (what: string) => void
}

const offeredTypes = 'ssh-ed25519, ecdsa-sha2-nistp256/384/521 and ssh-rsa'

/** An SSH agent, as ssh2 asks it, that shows only the key that was chosen. */
export class ChosenAgent extends ssh2.BaseAgent<ParsedKey> {
  readonly #agent: ReturnType<typeof ssh2.createAgent>
  readonly #choice: AgentChoice
  /** What each key that is shown is for the agent itself. */
  readonly #own = new Map<unknown, ParsedKey>()

  constructor(choice: AgentChoice) {
    super()
    this.#choice = choice
    this.#agent = ssh2.createAgent(choice.socket)
  }

  getIdentities(done: IdentityCallback<ParsedKey>): void {
    this.#agent.getIdentities((error, found) => {
      if (error !== undefined && error !== null) {
        this.#choice.onTrouble(`the SSH agent ${this.#choice.socket}: ${peerText(messageOf(error))}`)
        done(error)
        return
      }
      this.#chosen(keysOf(found)).then(
        keys => done(null, keys),
        (failure: unknown) => done(failure instanceof Error ? failure : new Error(String(failure))),
      )
    })
  }

  override sign(
    key: ParsedKey,
    data: Buffer,
    options: SigningRequestOptions | SignCallback,
    done?: SignCallback,
  ): void {
    const own = this.#own.get(key) ?? key
    const given = typeof options === 'function' ? {} : options
    const answer = typeof options === 'function' ? options : (done ?? (() => {}))
    this.#agent.sign(own, data, own === key ? given : { ...given, hash: 'sha512' }, answer)
  }

  async #chosen(all: readonly ParsedKey[]): Promise<ParsedKey[]> {
    const { which, onTrouble } = this.#choice
    const keys = which === undefined ? all : all.filter(await matcher(which))
    if (keys.length === 0) {
      const held = all.map(key => `${fingerprintOf(key.getPublicSSH())} (${peerText(key.comment)})`)
      const what =
        held.length === 0 ? `it holds no key of the types ${offeredTypes}` : `it holds ${held.join(', ')}`
      onTrouble(which === undefined ? `the SSH agent: ${what}` : `the SSH agent has no key ${which}: ${what}`)
    }
    const again = keys.flatMap(key => {
      const variant = withSha512(key)
      if (variant === null) {
        return []
      }
      this.#own.set(variant, key)
      return [variant]
    })
    return [...keys, ...again]
  }
}

function keysOf(found: unknown): ParsedKey[] {
  const list: unknown[] = Array.isArray(found) ? found : []
  return list.flatMap(one => {
    const key = ssh2.utils.parseKey(one as ParsedKey)
    return key instanceof Error ? [] : [key]
  })
}

/** Whether a key is the one that was chosen. */
async function matcher(which: string): Promise<(key: ParsedKey) => boolean> {
  if (/^SHA256:/.test(which)) {
    return key => isSameFingerprint(fingerprintOf(key.getPublicSSH()), which)
  }
  const text = await readFile(which, 'utf8').catch(() => null)
  if (text === null) {
    return key => key.comment === which
  }
  const wanted = ssh2.utils.parseKey(text)
  return key => !(wanted instanceof Error) && wanted.getPublicSSH().equals(key.getPublicSSH())
}
