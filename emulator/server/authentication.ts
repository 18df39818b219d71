import { timingSafeEqual } from 'node:crypto'
import ssh2, { type AuthContext, type AuthenticationType, type ParsedKey } from 'ssh2'

/** A user who may log in. */
export interface Login {
  readonly name: string
  readonly password?: string | undefined
  readonly authorizedKeys?: readonly string[] | undefined
}

type Method = 'publickey' | 'password' | 'keyboard-interactive'

/** Judges logins as the persona's sshd would. */
export class Authenticator {
  readonly #keys = new Map<string, readonly ParsedKey[]>()
  readonly #logins: readonly Login[]
  readonly #methods: readonly Method[]
  #refusals: number

  /** `refusals` is how many connections are refused whatever they bring. */
  constructor(logins: readonly Login[], methods: readonly Method[], refusals: number) {
    this.#logins = logins
    this.#methods = methods
    this.#refusals = refusals
    for (const { name, authorizedKeys = [] } of logins) this.#keys.set(name, authorizedKeys.flatMap(readKey))
  }

  /** What judges the tries of one connection. */
  connection(): (context: AuthContext) => void {
    let refused: boolean | undefined
    return context => {
      if (context.method !== 'none') refused ??= this.#refusals-- > 0
      this.#judge(context, refused === true)
    }
  }

  #judge(context: AuthContext, refused: boolean): void {
    const left: AuthenticationType[] = [...this.#methods]
    if (refused || !left.includes(context.method)) context.reject(left)
    else if (context.method === 'keyboard-interactive') {
      context.prompt([{ prompt: 'Password: ', echo: false }], answers => {
        if (isPassword(this.#login(context), answers?.[0] ?? '')) context.accept()
        else context.reject(left)
      })
    } else if (this.#isRight(context)) context.accept()
    else context.reject(left)
  }

  #login({ username }: AuthContext): Login | undefined {
    return this.#logins.find(({ name }) => name === username)
  }

  #isRight(context: AuthContext): boolean {
    if (context.method === 'password') return isPassword(this.#login(context), context.password)
    if (context.method !== 'publickey') return false
    const { key, signature, blob, hashAlgo } = context
    const known = this.#keys.get(context.username)?.find(it => it.getPublicSSH().equals(key.data))
    return (
      known !== undefined &&
      (!signature || (blob !== undefined && known.verify(blob, signature, hashAlgo) === true))
    )
  }
}

function isPassword(login: Login | undefined, given: string): boolean {
  if (login?.password === undefined) return false
  const [a, b] = [Buffer.from(login.password), Buffer.from(given)]
  return a.length === b.length && timingSafeEqual(a, b)
}

function readKey(line: string): ParsedKey[] {
  const parsed = ssh2.utils.parseKey(line)
  if (parsed instanceof Error) return []
  return Array.isArray(parsed) ? parsed : [parsed]
}
