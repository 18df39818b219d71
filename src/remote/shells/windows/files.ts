/**
 * Moving files to and from a Windows guest: SFTP where the SSH server has it (Microsoft's OpenSSH, Bitvise, freeSSHd,
 * Cygwin), else base64 through cmd and certutil, which every Windows from 2003 on has.
 */
import type { Client, SFTPWrapper, Stats } from 'ssh2'
import { InfraError } from '../../../config/errors.js'
import { messageOf, peerText } from '../../trouble.js'
import { RefusedChannel } from '../places.js'
import type { LoginShell } from './login.js'

/** Characters of base64 behind one `echo`, and echoes in one line: together below what cmd reads. */
const base64Chunk = 960
const chunksPerLine = 6

/** How the files of a guest are moved. */
export type FileWay = 'sftp' | 'certutil'

/** How an SFTP server writes a path of Windows. */
export type PathStyle = (path: string) => string

const withDrive =
  (shown: (drive: string) => string): PathStyle =>
  path =>
    path.replaceAll('\\', '/').replace(/^([A-Za-z]):/, (_, drive: string) => shown(drive))

/** As Microsoft's OpenSSH has it (`/C:/Windows`), Cygwin, and servers with a folder for each drive; the likeliest first. */
export function pathStyles(login: LoginShell): readonly PathStyle[] {
  const microsoft = withDrive(drive => `/${drive}:`)
  const cygwin = withDrive(drive => `/cygdrive/${drive.toLowerCase()}`)
  const folders = withDrive(drive => `/${drive}`)
  return login === 'cygwin' ? [cygwin, microsoft, folders] : [microsoft, folders, cygwin]
}

/** Opens an SFTP channel; `null` when the server has no SFTP. Throws RefusedChannel when it opens no channel now. */
export function openSftp(client: Client, where: string): Promise<SFTPWrapper | null> {
  return new Promise((resolve, reject) => {
    try {
      client.sftp((error, sftp) => {
        if (error === undefined || error === null) {
          resolve(sftp)
        } else if (/channel open failure/i.test(error.message)) {
          reject(new RefusedChannel(where, peerText(error.message)))
        } else {
          resolve(null)
        }
      })
    } catch {
      resolve(null)
    }
  })
}

/** Writes a file whole. Throws InfraError (`transfer`). */
export function writeOverSftp(
  sftp: SFTPWrapper,
  path: string,
  content: Buffer,
  where: string,
): Promise<void> {
  return new Promise((resolve, reject) => {
    sftp.writeFile(path, content, error =>
      error === undefined || error === null ? resolve() : reject(trouble(where, 'writing', path, error)),
    )
  })
}

/** Reads a file whole. Throws InfraError (`transfer`). */
export function readOverSftp(sftp: SFTPWrapper, path: string, where: string): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    sftp.readFile(path, (error, content) =>
      error === undefined || error === null
        ? resolve(content)
        : reject(trouble(where, 'reading', path, error)),
    )
  })
}

/** The time of a file that is written now, by the machine's own clock, in seconds since 1970; the file is removed. */
export async function timeOverSftp(sftp: SFTPWrapper, path: string, where: string): Promise<number> {
  try {
    const handle = await promised<Buffer>(done => sftp.open(path, 'w', done))
    try {
      await promised<void>(done => sftp.write(handle, Buffer.from('x'), 0, 1, 0, error => done(error)))
      return (await promised<Stats>(done => sftp.fstat(handle, done))).mtime
    } finally {
      await promised<void>(done => sftp.close(handle, done))
      sftp.unlink(path, () => {})
    }
  } catch (error) {
    throw trouble(where, 'asking for the time of', path, error)
  }
}

function promised<T>(act: (done: (error: Error | null | undefined, value?: T) => void) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    act((error, value) => (error === undefined || error === null ? resolve(value as T) : reject(error)))
  })
}

/** The lines that write a file as base64, before it is decoded. */
export function base64Lines(file: string, content: Buffer): string[] {
  const text = content.toString('base64')
  const echoes: string[] = []
  for (let at = 0; at < text.length || at === 0; at += base64Chunk) {
    const piece = text.slice(at, at + base64Chunk)
    echoes.push(`${at === 0 ? '>' : '>>'}"${file}.b64" echo ${piece === '' ? 'AA==' : piece}`)
  }
  const lines: string[] = []
  for (let at = 0; at < echoes.length; at += chunksPerLine) {
    lines.push(echoes.slice(at, at + chunksPerLine).join('&'))
  }
  return lines
}

/** What `certutil -encode` printed; `null` when it is not whole. */
export function decodeCertutil(text: string): Buffer | null {
  const [, body] = /-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]*)-----END CERTIFICATE-----/.exec(text) ?? []
  return body === undefined ? null : Buffer.from(body.replace(/\s/g, ''), 'base64')
}

/** Something that keeps a file from being moved. */
export function trouble(where: string, doing: string, path: string, error: unknown): InfraError {
  return new InfraError(`${where}: ${doing} ${path} failed: ${peerText(messageOf(error))}`, {
    cause: 'guest',
    where,
    code: 'transfer',
  })
}
