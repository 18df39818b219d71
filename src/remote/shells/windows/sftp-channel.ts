import type { Client, SFTPWrapper } from 'ssh2'
import { InfraError } from '../../../config/errors.js'
import { openSftp, type PathStyle, pathStyles } from './files.js'
import type { LoginShell } from './login.js'

/** What it takes to open an SFTP channel. */
export interface SftpParts {
  readonly client: Client
  readonly where: string
  readonly login: LoginShell
  /** Tries again while the server refuses a channel; throws InfraError (limit `channel`). */
  readonly hold: <T>(open: () => Promise<T>) => Promise<T>
}

/** The SFTP channel of one connection: opened when first needed, and given back when others have no room. */
export class SftpChannel {
  readonly #parts: SftpParts
  #opened: Promise<SFTPWrapper | null> | null = null
  #open: SFTPWrapper | null = null
  #style: PathStyle | null = null
  #users = 0

  constructor(parts: SftpParts) {
    this.#parts = parts
  }

  /** Whether the server has SFTP. */
  async isThere(): Promise<boolean> {
    return (await this.#channel()) !== null
  }

  /** Does something over it; `null` where the server has no SFTP. Throws what `act` throws. */
  async use<T>(
    act: (sftp: SFTPWrapper, style: PathStyle) => Promise<T>,
  ): Promise<{ readonly value: T } | null> {
    this.#users += 1
    try {
      const sftp = await this.#channel()
      return sftp === null ? null : { value: await this.#inSomeStyle(style => act(sftp, style)) }
    } finally {
      this.#users -= 1
    }
  }

  /** Closes it if nobody uses it now. */
  release(): void {
    if (this.#users === 0 && this.#open !== null) {
      this.#open.end()
      this.#open = null
      this.#opened = null
    }
  }

  #channel(): Promise<SFTPWrapper | null> {
    this.#opened ??= this.#openNow()
    return this.#opened
  }

  async #openNow(): Promise<SFTPWrapper | null> {
    const { client, where, hold } = this.#parts
    try {
      this.#open = await hold(() => openSftp(client, where))
      return this.#open
    } catch (error) {
      // A server that never has a channel for it is one without SFTP.
      if (error instanceof InfraError && error.context.limit === 'channel') {
        return null
      }
      throw error
    }
  }

  /** Servers write paths in different ways: the one that first leads somewhere is kept. */
  async #inSomeStyle<T>(act: (style: PathStyle) => Promise<T>): Promise<T> {
    const styles = this.#style === null ? pathStyles(this.#parts.login) : [this.#style]
    let first: unknown = null
    for (const style of styles) {
      try {
        const done = await act(style)
        this.#style = style
        return done
      } catch (error) {
        first ??= error
      }
    }
    throw first
  }
}
