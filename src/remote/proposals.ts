import type { Algorithms } from '../config/model.js'
import { peerText } from './trouble.js'

/** The server's first line (RFC 4253, 4.2), as ssh2 quotes it. */
const identLine = /^Remote ident: '(?:SSH-2\.0|SSH-1\.99)-([^ ']*)/
const remoteLine = /^Handshake: \(remote\) (.+?): (.*)$/
const longestList = 400

/** What is newer than ssh2 and this program; none of it was in an OpenSSH before 8.5. */
const newer = /^(sntrup\d+x\d+|mlkem\d+|ml-kem|mldsa|ml-dsa|sk-|webauthn-|curve448|ssh-ed448)/i
const certificate = /-cert-v0[01]@openssh\.com$/
/** Signalling words, which are no algorithms (RFC 8308, and OpenSSH's strict key exchange). */
const signals = /^(ext-info-[cs]|kex-strict-[cs]-v00@openssh\.com|kexguess2@matt\.ucc\.asn\.au)$/

/** What the other side said of itself and offered in the key exchange, taken from what ssh2 tells of it. */
export class Proposals {
  /** The server's program and version, in its own words; empty while it has not said them. */
  software = ''
  readonly #remote = new Map<string, readonly string[]>()
  #hasEnded = false

  take(line: string): void {
    this.software = (this.#hasEnded ? null : identLine.exec(line)?.[1]) ?? this.software
    const [, what, list] = this.#hasEnded ? [] : (remoteLine.exec(line) ?? [])
    if (what !== undefined && list !== undefined) {
      this.#remote.set(
        what.toLowerCase(),
        list.split(',').filter(name => !signals.test(name)),
      )
    }
  }

  /** Later key exchanges on the same connection are of no interest. */
  end(): void {
    this.#hasEnded = true
  }

  /** Why there is nothing in common, and what to do; `missing` is ssh2's word for the kind. */
  explain(missing: string, algorithms: Algorithms): string {
    const offered = this.#offered(missing)
    const list =
      offered.length === 0 ? '' : `the server offers only ${peerText(offered.join(', '), longestList)}`
    const advice = adviceFor(offered, algorithms)
    return [list, advice].filter(text => text !== '').join(': ')
  }

  #offered(missing: string): readonly string[] {
    const kind = missing.replace(/ algorithm$/, '').toLowerCase()
    return this.#remote.get(kind === 'key exchange' ? 'kex method' : kind) ?? []
  }
}

function adviceFor(offered: readonly string[], algorithms: Algorithms): string {
  if (offered.length > 0 && offered.every(name => certificate.test(name))) {
    return 'guestcert does not check host certificates; let the server show its plain host key as well (HostKeyAlgorithms)'
  }
  if (offered.length > 0 && offered.every(name => newer.test(name))) {
    return 'the server is newer than guestcert, or allows only post-quantum algorithms; allow an older one on it as well, such as KexAlgorithms +curve25519-sha256'
  }
  return algorithms === 'modern'
    ? 'an old system may need "algorithms: legacy" in the lab'
    : 'even the old ones were offered'
}
