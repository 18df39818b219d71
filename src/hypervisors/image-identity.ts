import { createHash } from 'node:crypto'
import { posix } from 'node:path'
import { InfraError } from '../config/errors.js'
import { quote } from '../remote/index.js'

/** One file of a disk. */
export interface ImageFile {
  readonly path: string
  /** `qcow2`, `raw`, … */
  readonly format: string
  readonly sha256: string
}

/** A disk as it was when its instance was made: its file and all those below it. */
export interface ImageIdentity {
  /** `sha256:…` over a line `FORMAT SHA256` for each file, the topmost first. */
  readonly digest: string
  readonly files: readonly ImageFile[]
}

/** Runs a shell command where the image lies; gives its standard output, and throws when its status is not 0. */
export type AskShell = (command: string) => Promise<string>

/** Deeper chains are taken for a mistake: a file that lies below itself. */
const maxFiles = 32

/**
 * Identifies a disk by all that a guest reads from it. A file is read once: its digest is kept on the host for as long
 * as its place, size and times are the same. Throws InfraError for a chain without an end, and for what is written
 * to while it is read.
 */
export async function identifyImage(path: string, where: string, ask: AskShell): Promise<ImageIdentity> {
  const files: ImageFile[] = []
  let next: string | null = path
  while (next !== null) {
    if (files.length === maxFiles) {
      throw trouble(where, `${path} lies on more than ${maxFiles} files`)
    }
    const file: string = next
    const { format, backing } = readInfo(await ask(infoCommand(file)))
    if (format === 'unknown') {
      throw trouble(where, `${file} is of no known format: it takes qemu-img to read it`)
    }
    const sha256 = (await ask(digestCommand(file))).trim()
    if (!/^[0-9a-f]{64}$/.test(sha256)) {
      throw trouble(where, `${file} has no digest: ${sha256.slice(0, 200) || 'it changed while it was read'}`)
    }
    files.push({ path: file, format, sha256 })
    next = backing === null ? null : posix.resolve(posix.dirname(file), backing)
  }
  const lines = files.map(({ format, sha256 }) => `${format} ${sha256}\n`).join('')
  return { digest: sha256Of(lines), files }
}

/** The disks of a machine, as facts of its instance; of several disks the digest is over a line for each. */
export async function imageFacts(
  paths: readonly string[],
  where: string,
  ask: AskShell,
): Promise<Record<string, string>> {
  const disks: ImageIdentity[] = []
  for (const path of paths) {
    disks.push(await identifyImage(path, where, ask))
  }
  const [first, ...others] = disks
  if (first === undefined) {
    return {}
  }
  const lines = disks.map(({ digest }) => `${digest}\n`).join('')
  return {
    'image digest': others.length === 0 ? first.digest : sha256Of(lines),
    'image files': disks.flatMap(({ files }) => files.map(({ path }) => path)).join(', '),
  }
}

function sha256Of(text: string): string {
  return `sha256:${createHash('sha256').update(text).digest('hex')}`
}

/**
 * What qemu-img says of a file; `-U` lets it look at one that is in use, which it refuses from 2.10 on and did not know
 * before. Where there is no qemu-img a disk must be raw: the formats that it could be else begin with their names.
 */
function infoCommand(path: string): string {
  const file = quote(path)
  return [
    `if command -v qemu-img >/dev/null;then LC_ALL=C qemu-img info -U ${file} 2>/dev/null||LC_ALL=C qemu-img info ${file}`,
    `else m=$(head -c 4 ${file}|tr -cd 'A-Za-z')`,
    'case "$m" in QFI*|COW*|KDM*|vhdx|cone)echo "no qemu-img for $m";;*)echo "file format: raw";;esac',
    'fi',
  ].join(';')
}

/** Reads `qemu-img info`, whose lines have been the same since 0.9. */
function readInfo(text: string): { readonly format: string; readonly backing: string | null } {
  const [, format = 'unknown'] = /^file format: (\S+)$/m.exec(text) ?? []
  const [, written, actual] = /^backing file: (.*?)(?: \(actual path: (.*)\))?$/m.exec(text) ?? []
  return { format, backing: actual ?? written ?? null }
}

/** Prints a file's SHA-256, or nothing when the file changed meanwhile. */
function digestCommand(path: string): string {
  return [
    `f=${quote(path)}`,
    'c="$HOME/.guestcert/digests"',
    'look(){ stat -L -c \'=%d %i %s %y %z\' "$f";}',
    'k=$(look)||exit 1',
    'd=$(grep -F -- "$k " "$c" 2>/dev/null|tail -n 1|sed \'s/.* //\')',
    'if [ -z "$d" ];then d=$(sha256sum <"$f"|cut -d " " -f 1)&&[ "$k" = "$(look)" ]||exit 0',
    '(umask 077;mkdir -p "$HOME/.guestcert"&&echo "$k $d" >>"$c") 2>/dev/null;fi',
    'echo "$d"',
  ].join(';')
}

function trouble(where: string, why: string): InfraError {
  return new InfraError(`${where}: ${why}`, { cause: 'host', where, code: 'driver' })
}
