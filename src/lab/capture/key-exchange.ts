import type { Duplex } from 'node:stream'

/** What an SSH server says of itself before anybody has logged in (RFC 4253, 4.2 and 7.1). */
export interface KeyExchange {
  /** `SSH-2.0-…`, without its end of line. */
  readonly identification: string
  readonly kex: readonly string[]
  readonly serverHostKey: readonly string[]
  /** Of the direction from server to client, as the following. */
  readonly cipher: readonly string[]
  readonly hmac: readonly string[]
  readonly compress: readonly string[]
}

const ourIdentification = 'SSH-2.0-guestcert_capture\r\n'
/** Lines before the identification and the first packet are far smaller in any server. */
const mostBytes = 65_536
const kexInit = 20
const cookieBytes = 16

/**
 * Reads a server's offer from a connection that nothing has been sent on, and ends the connection.
 * Rejects when the server says something else, or closes first.
 */
export function readKeyExchange(stream: Duplex, signal: AbortSignal): Promise<KeyExchange> {
  return new Promise((resolve, reject) => {
    let seen = Buffer.alloc(0)
    const settle = (act: () => void): void => {
      signal.removeEventListener('abort', onAbort)
      stream.removeAllListeners('data')
      stream.destroy()
      act()
    }
    const fail = (why: string): void => settle(() => reject(new Error(why)))
    const onAbort = (): void => fail('it was waited for in vain')
    signal.addEventListener('abort', onAbort, { once: true })
    stream.on('error', error => fail(error.message))
    stream.on('close', () => fail('the connection was closed'))
    stream.on('data', (chunk: Buffer) => {
      seen = Buffer.concat([seen, chunk])
      try {
        const found = parseKeyExchange(seen)
        if (found !== null) {
          settle(() => resolve(found))
        } else if (seen.length > mostBytes) {
          fail(`no key exchange in ${mostBytes} bytes`)
        }
      } catch (error) {
        fail(error instanceof Error ? error.message : String(error))
      }
    })
    stream.write(ourIdentification)
  })
}

/** Reads identification and SSH_MSG_KEXINIT; `null` while they are not whole. Throws when it is something else. */
export function parseKeyExchange(bytes: Buffer): KeyExchange | null {
  const text = bytes.toString('latin1')
  const match = /(?:^|\n)(SSH-[^\r\n]{1,250})\r?\n/.exec(text)
  if (match?.[1] === undefined) {
    return null
  }
  const packet = bytes.subarray(match.index + match[0].length)
  if (packet.length < 6) {
    return null
  }
  const length = packet.readUInt32BE(0)
  if (length > mostBytes || packet[5] !== kexInit) {
    throw new Error('the server does not begin with a key exchange')
  }
  if (packet.length < 4 + length) {
    return null
  }
  const lists = nameLists(packet.subarray(6 + cookieBytes, 4 + length - (packet[4] ?? 0)))
  const [kex = [], serverHostKey = [], , cipher = [], , hmac = [], , compress = []] = lists
  return { identification: match[1], kex, serverHostKey, cipher, hmac, compress }
}

function nameLists(payload: Buffer): string[][] {
  const lists: string[][] = []
  for (let at = 0; lists.length < 10; ) {
    if (at + 4 > payload.length) {
      throw new Error('the key exchange is cut short')
    }
    const length = payload.readUInt32BE(at)
    const names = payload.subarray(at + 4, at + 4 + length)
    if (names.length !== length) {
      throw new Error('the key exchange is cut short')
    }
    lists.push(names.toString('latin1').split(',').filter(isName))
    at += 4 + length
  }
  return lists
}

/** RFC 4251, 6: names are printable ASCII of 64 characters at most. */
function isName(name: string): boolean {
  return /^[\x21-\x7e]{1,64}$/.test(name)
}

/** What the emulator's SSH server can speak, beside what it leaves out. */
export interface Played {
  readonly played: readonly string[]
  readonly left: readonly string[]
}

// Names as in the IANA's registry and OpenSSH's PROTOCOL.
const playable: ReadonlySet<string> = new Set(
  (
    'curve25519-sha256 curve25519-sha256@libssh.org ecdh-sha2-nistp256 ecdh-sha2-nistp384 ecdh-sha2-nistp521 ' +
    'diffie-hellman-group-exchange-sha256 diffie-hellman-group-exchange-sha1 diffie-hellman-group14-sha256 ' +
    'diffie-hellman-group15-sha512 diffie-hellman-group16-sha512 diffie-hellman-group17-sha512 ' +
    'diffie-hellman-group18-sha512 diffie-hellman-group14-sha1 diffie-hellman-group1-sha1 ' +
    'ssh-ed25519 ecdsa-sha2-nistp256 ecdsa-sha2-nistp384 ecdsa-sha2-nistp521 rsa-sha2-512 rsa-sha2-256 ssh-rsa ' +
    'chacha20-poly1305@openssh.com aes128-gcm@openssh.com aes256-gcm@openssh.com aes128-ctr aes192-ctr aes256-ctr ' +
    'aes256-cbc aes192-cbc aes128-cbc 3des-cbc ' +
    'hmac-sha2-256-etm@openssh.com hmac-sha2-512-etm@openssh.com hmac-sha1-etm@openssh.com hmac-sha2-256 ' +
    'hmac-sha2-512 hmac-sha1 hmac-md5 hmac-sha2-256-96 hmac-sha2-512-96 hmac-ripemd160 hmac-sha1-96 hmac-md5-96 ' +
    'none zlib@openssh.com zlib'
  ).split(' '),
)

/** Divides an offer into what the emulator can play and what it cannot. */
export function divide(names: readonly string[]): Played {
  return {
    played: names.filter(name => playable.has(name)),
    left: names.filter(name => !playable.has(name)),
  }
}
