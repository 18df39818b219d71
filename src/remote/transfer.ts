/**
 * Moving files over a command's standard streams. `tar` and `cat` are on every Linux system that
 * has an sshd, from Red Hat Enterprise Linux 4 and SUSE Linux Enterprise 10 (GNU tar 1.14 and 1.15)
 * to Alpine (busybox); sftp-server, scp, base64 and unzip are not. Plain ustar with `-m` is what all of
 * these read alike: no compression, no owner names, no times. Windows has other ways, in files of
 * their own.
 */
import { posix } from 'node:path'
import { pack } from 'tar-stream'
import { InfraError, InternalError } from '../config/errors.js'
import type { CommandResult, Machine, Sink } from './machine.js'
import { printfScript } from './printf-script.js'
import { quote } from './shells/quote.js'
import { peerText } from './trouble.js'

/** A file to be carried; `path` is relative to the folder, with `/`. */
export interface CarriedFile {
  readonly path: string
  /** Permission bits, as `0o755`. A user who is not root gets them less the umask 077. */
  readonly mode: number
  readonly content: Buffer
}

/** How long one transfer may take. */
export interface TransferOptions {
  readonly limitMs: number
  readonly signal?: AbortSignal
}

/** What unpacks on the other side: `printf` of the shell itself needs no program. */
export type UploadWay = 'tar' | 'printf'

/** A command and what it reads: they belong together. */
export interface Upload {
  readonly command: string
  readonly stdin: Buffer
}

/** What is kept of what `cat` complains about; of the file nothing needs to be. */
const complaintBytes = 1024
const folderMode = 0o755
/** The same archive for the same files, whenever it is made. */
const archiveTime = new Date(0)

/**
 * The command that unpacks the files into a folder, made with the umask 077 if it is not there, and
 * what it must be given. It reads standard input to its end, leaves the shell's folder and umask as
 * they are, and ends with 0 only if every file was written. May be combined with commands that read
 * no input.
 */
export async function uploadCommand(
  files: readonly CarriedFile[],
  folder: string,
  way: UploadWay = 'tar',
): Promise<Upload> {
  const to = quote(folder)
  const reader = way === 'tar' ? 'tar -xmf -' : '/bin/sh -s'
  return {
    command: `(umask 077&&mkdir -p ${to}&&cd ${to}&&exec ${reader})`,
    stdin: way === 'tar' ? await archive(files) : script(files),
  }
}

/** Carries files to the machine in one archive over one channel. Throws InfraError (`transfer`). */
export async function carry(
  machine: Machine,
  files: readonly CarriedFile[],
  folder: string,
  { limitMs, signal }: TransferOptions,
): Promise<void> {
  const { command, stdin } = await uploadCommand(files, folder)
  const result = await machine.run(command, {
    stdin,
    limitMs,
    limitName: 'transfer',
    ...(signal === undefined ? {} : { signal }),
  })
  demandSuccess(machine, result, `carrying ${files.length} files to ${folder}`)
}

/** Reads a file of the machine into a sink. Returns its length in bytes. Throws InfraError (`transfer`). */
export async function fetch(
  machine: Machine,
  path: string,
  sink: Sink,
  { limitMs, signal }: TransferOptions,
): Promise<number> {
  // A name that begins with a dash is not to be read as an option.
  const safe = path.startsWith('-') ? `./${path}` : path
  const result = await machine.run(`exec cat ${quote(safe)}`, {
    onStdout: sink,
    keepBytes: complaintBytes,
    limitMs,
    limitName: 'transfer',
    ...(signal === undefined ? {} : { signal }),
  })
  demandSuccess(machine, result, `fetching ${path}`)
  return result.stdout.totalBytes
}

function demandSuccess({ label, lost }: Machine, result: CommandResult, what: string): void {
  const { exit, stderr, undrained } = result
  if (exit.kind === 'code' && exit.code === 0 && !undrained) {
    return
  }
  const how =
    exit.kind === 'code'
      ? undrained
        ? 'its end was not seen'
        : `status ${exit.code}`
      : exit.kind === 'limit'
        ? `the limit "${exit.limit}" of ${exit.limitMs} ms was reached`
        : exit.kind === 'signal'
          ? `killed by ${exit.signal}`
          : exit.kind === 'unproven'
            ? exit.why
            : 'no exit status received'
  const cause = exit.kind === 'lost' || lost.aborted ? 'network' : 'guest'
  const said = peerText(stderr.text)
  throw new InfraError(`${label}: ${what} failed: ${how}${said === '' ? '' : `: ${said}`}`, {
    cause,
    where: label,
    code: 'transfer',
    ...(exit.kind === 'limit' ? { limit: exit.limit } : {}),
  })
}

function script(files: readonly CarriedFile[]): Buffer {
  for (const { path } of files) {
    checkPath(path)
  }
  return printfScript(files)
}

/** A ustar archive with an entry for every folder, for readers that make none by themselves. */
async function archive(files: readonly CarriedFile[]): Promise<Buffer> {
  const packed = pack()
  const chunks: Buffer[] = []
  packed.on('data', chunk => {
    chunks.push(chunk as Buffer)
  })
  const ended = new Promise<void>((resolve, reject) => {
    packed.once('end', resolve)
    packed.once('error', reject)
  })
  const common = { mtime: archiveTime, uid: 0, gid: 0, uname: '', gname: '' }
  const folders = new Set<string>()
  for (const { path, mode, content } of files) {
    checkPath(path)
    for (const folder of foldersAbove(path)) {
      if (!folders.has(folder)) {
        folders.add(folder)
        packed.entry({ ...common, name: folder, mode: folderMode, type: 'directory' })
      }
    }
    packed.entry({ ...common, name: path, mode, size: content.length }, content)
  }
  packed.finalize()
  await ended
  return Buffer.concat(chunks)
}

function foldersAbove(path: string): string[] {
  const above: string[] = []
  for (let folder = posix.dirname(path); folder !== '.'; folder = posix.dirname(folder)) {
    above.unshift(folder)
  }
  return above
}

function checkPath(path: string): void {
  const isInside =
    path !== '' && !path.startsWith('/') && !path.split('/').some(part => /^(|\.|\.\.)$/.test(part))
  if (!isInside || path.includes('\0')) {
    throw new InternalError(`"${path}" is not a path inside the folder that files are carried to`)
  }
}
