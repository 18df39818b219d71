import pLimit from 'p-limit'
import t from 'tap'
import { InfraError } from '../config/errors.js'
import { defaultLimits } from '../config/limits.js'
import { type Door, type DoorOptions, openDoor } from './doors.test.fixture.js'
import type { Machine } from './machine.js'
import { connectWithRetries } from './retries.js'
import { messageOf } from './trouble.js'

/** What must come of a door: commands run through it, or the error that says why not. */
interface Wanted extends DoorOptions {
  readonly refused?: { readonly code: string; readonly message: RegExp }
}

const pam = (...lines: readonly string[]): string => `printf '${lines.join('\\n')}\\n' >/etc/pam.d/sshd`
const refusedWith = (message: RegExp): NonNullable<Wanted['refused']> => ({ code: 'authentication', message })

const doors: Readonly<Record<string, Wanted>> = {
  'OpenSSH as it is': {},
  'MaxSessions 1': { sshd: ['MaxSessions 1'] },
  'MaxSessions 2': { sshd: ['MaxSessions 2'] },
  'MaxStartups 1': { sshd: ['MaxStartups 1'] },
  'new keys all the time': { sshd: ['RekeyLimit 100K 1s'] },
  'rsa-sha2-512 alone': { keyType: 'rsa', sshd: ['PubkeyAcceptedAlgorithms rsa-sha2-512'] },
  'an ECDSA key': { keyType: 'ecdsa' },
  'no tar, base64 and head': { setUp: 'rm /usr/bin/tar /usr/bin/base64 /usr/bin/head' },
  'a noisy login shell': {
    setUp: 'echo "echo noise; echo more >&2" >/root/.bashrc; usermod -s /bin/bash root',
  },
  'a login shell that is busybox': { setUp: 'ln -s busybox /usr/bin/ash; usermod -s /usr/bin/ash root' },
  'a home that is not there': {
    sshd: ['AuthorizedKeysFile /etc/keys'],
    setUp: 'cp "$1" /etc/keys; sed -i s,:/root:,:/nowhere:, /etc/passwd',
  },
  'dropbear and busybox alone': { server: 'dropbear' },
  'post-quantum key exchange alone': {
    sshd: ['KexAlgorithms sntrup761x25519-sha512@openssh.com'],
    refused: { code: 'handshake', message: /offers only sntrup761.*newer than guestcert/ },
  },
  'user certificates alone': {
    sshd: ['TrustedUserCAKeys /etc/authority.pub'],
    setUp: `ssh-keygen -q -t ed25519 -N '' -f /etc/authority
rm /root/.ssh/authorized_keys
ssh-keygen -q -s /etc/authority -I door -n root "$1"`,
    refused: refusedWith(
      /guestcert shows no user certificates, so not .*client-cert\.pub: add the key itself/,
    ),
  },
  'a banner, and a key that is not accepted': {
    sshd: ['Banner /etc/banner', 'PubkeyAuthentication no'],
    setUp: 'echo "Access for staff only" >/etc/banner',
    refused: refusedWith(/it accepts password.*the server said: "Access for staff only"/),
  },
  'an account that PAM closes': {
    sshd: ['UsePAM yes'],
    setUp: pam(
      'account required pam_echo.so The machine room is closed today',
      'account required pam_deny.so',
    ),
    refused: refusedWith(/the server said: "The machine room is closed today"/),
  },
}

const parallel = pLimit(3)

t.test('real servers behind odd doors', { timeout: 300_000 }, async t => {
  await Promise.all(
    Object.entries(doors).map(([what, wanted]) =>
      parallel(async () => {
        const door = await openDoor(wanted)
        try {
          const found = await enter(door)
          if (wanted.refused !== undefined) {
            t.match(found, { name: 'InfraError', context: { code: wanted.refused.code } }, what)
            t.match(found instanceof Error ? found.message : 'it let us in', wanted.refused.message, what)
          } else if (found instanceof Error) {
            t.fail(`${what}: ${found.message}\n${door.log()}`)
          } else {
            const wrong = await use(found).catch((error: unknown) => [messageOf(error)])
            t.same(wrong, [], wrong.length === 0 ? what : `${what}\n${door.log()}`)
          }
          if (!(found instanceof Error)) {
            await found.close()
          }
        } finally {
          await door.close()
        }
      }),
    ),
  )
})

async function enter(door: Door): Promise<Machine | InfraError> {
  try {
    return await connectWithRetries(
      {
        label: 'guest',
        endpoint: { host: '127.0.0.1', port: door.port, jumps: [] },
        login: {
          user: 'root',
          key: { kind: 'file', path: door.keyPath },
          algorithms: 'modern',
          hostKey: { kind: 'pinned', fingerprint: door.hostKey },
        },
        limits: { ...defaultLimits, boot: 60_000 },
        signal: new AbortController().signal,
      },
      { sshConfigPath: null },
    )
  } catch (error) {
    if (error instanceof InfraError) {
      return error
    }
    throw error
  }
}

/** More commands than there are channels, each with its own output; then one that has to be stopped. What went wrong. */
async function use(machine: Machine): Promise<string[]> {
  const numbers = Array.from({ length: 12 }, (_, index) => index)
  const ran = await Promise.all(
    numbers.map(async number => {
      const { exit, stdout } = await machine.run(`echo ${number}; exit ${number}`)
      const isRight = exit.kind === 'code' && exit.code === number && stdout.text === `${number}\n`
      return isRight ? [] : [`${number}: ${JSON.stringify(exit)} ${stdout.text.slice(0, 100)}`]
    }),
  )
  const stopped = await machine.run('sleep 77', { limitMs: 300 })
  const alive = await machine.run('echo alive')
  return [
    ...ran.flat(),
    ...(stopped.exit.kind === 'limit' ? [] : [`the command that hangs: ${stopped.exit.kind}`]),
    ...(alive.stdout.text === 'alive\n' ? [] : ['the connection is of no use after a stop']),
  ]
}
