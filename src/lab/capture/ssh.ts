import { divide } from './key-exchange.js'
import { linesOf } from './probe.js'
import { captured, type Fact, type Subject } from './subject.js'

const lists = ['kex', 'serverHostKey', 'cipher', 'hmac', 'compress'] as const
type List = (typeof lists)[number]

/** What is said of an SSH server in a persona, and what it offers that the emulator cannot play. */
export interface SshFacts {
  readonly fact: Fact
  readonly left: readonly string[]
}

const hostKeys: readonly (readonly [kind: string, pattern: RegExp])[] = [
  ['ed25519', /^ssh-ed25519$/],
  ['ecdsa', /^ecdsa-/],
  ['rsa', /^(?:rsa-sha2-|ssh-rsa)/],
]
/** OpenSSH passes signals on from 7.9 (its release notes of 2018). */
const firstWithSignals = 7.9

/** The server's offer, as it was seen on the wire, and its settings where it tells them. */
export function sshFacts({ answers, ssh, guest }: Subject): SshFacts {
  const settings = linesOf(answers, 'sshd').map(line => line.trim().split(' '))
  const values = (name: string): string[] =>
    settings.filter(([key]) => key === name).flatMap(([, ...words]) => words)
  // A guest has one host key in the emulator.
  const [hostKey = 'rsa', ofKind = /./] =
    hostKeys.find(([, pattern]) => ssh.serverHostKey.some(name => pattern.test(name))) ?? []
  const offers = Object.fromEntries(lists.map(list => [list, divide(ssh[list])])) as Record<
    List,
    ReturnType<typeof divide>
  >
  const played = (list: List): readonly string[] =>
    list === 'serverHostKey' ? offers[list].played.filter(name => ofKind.test(name)) : offers[list].played
  const sessions = Number(values('maxsessions')[0] ?? Number.NaN)
  const release = Number(/OpenSSH_(\d+\.\d+)/.exec(ssh.identification)?.[1] ?? Number.NaN)
  const fact = captured({
    ident: ssh.identification,
    hostKey,
    ...(sessions >= 1 ? { maxSessions: sessions } : {}),
    signals: release >= firstWithSignals ? 'forwarded' : 'ignored',
    acceptEnv: values('acceptenv'),
    methods: methodsOf(values, guest.login.password === undefined),
    algorithms: Object.fromEntries(lists.map(list => [list, played(list)])),
  })
  const left = lists.flatMap(list => [
    ...offers[list].left,
    ...offers[list].played.filter(name => !played(list).includes(name)),
  ])
  return { fact, left: [...new Set(left)] }
}

/** How one may log in; that by which we did where the server does not tell. */
function methodsOf(values: (name: string) => string[], byKey: boolean): string[] {
  const says = (name: string): boolean => values(name)[0] === 'yes'
  const methods = [
    ...(says('pubkeyauthentication') ? ['publickey'] : []),
    ...(says('passwordauthentication') ? ['password'] : []),
    ...(says('kbdinteractiveauthentication') ? ['keyboard-interactive'] : []),
  ]
  return methods.length > 0 ? methods : [byKey ? 'publickey' : 'password']
}
