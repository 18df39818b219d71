import { quote } from '../../remote/index.js'
import type { CloneFile } from './clone.js'
import { parseImageFormat } from './output.js'
import { type CallOptions, read, type Virsh } from './virsh.js'

/** Makes a file of an instance on the host. A base that a running guest writes to is refused by qemu-img. */
export async function makeFile(virsh: Virsh, { from, to, how }: CloneFile, call: CallOptions): Promise<void> {
  if (how === 'overlay') {
    const format = read(
      parseImageFormat,
      await virsh.demand(`qemu-img info ${quote(from)}`, call),
      virsh.host,
    )
    const options = `-f qcow2 -F ${quote(format)} -b ${quote(from)}`
    await virsh.demand(`qemu-img create ${options} ${quote(to)} >/dev/null`, call)
    return
  }
  // Sharing blocks costs nothing where the file system can; --reflink is not known everywhere.
  const [source, target] = [quote(from), quote(to)]
  await virsh.demand(
    `cp --reflink=auto --sparse=always ${source} ${target} 2>/dev/null || cp --sparse=always ${source} ${target}`,
    call,
  )
}

/** Makes an empty disk; a raw one takes no tool that an old host lacks. */
export async function makeDisk(
  virsh: Virsh,
  { file, format, sizeBytes }: { file: string; format: 'raw' | 'qcow2'; sizeBytes: number },
  call: CallOptions,
): Promise<void> {
  const bytes = Math.ceil(sizeBytes)
  const command =
    format === 'raw'
      ? `dd if=/dev/zero of=${quote(file)} bs=1 count=0 seek=${bytes} 2>/dev/null`
      : `qemu-img create -f qcow2 ${quote(file)} ${bytes} >/dev/null`
  await virsh.demand(command, call)
}

/** Removes files, those that are not there too. */
export async function removeFiles(virsh: Virsh, files: readonly string[], call: CallOptions): Promise<void> {
  if (files.length > 0) {
    await virsh.demand(`rm -f ${files.map(quote).join(' ')}`, call)
  }
}

/** A shell command that gives the XML a file of its own, which only its owner reads, to a virsh command. */
export function withXmlFile(virsh: Virsh, before: readonly string[]): string {
  // virsh of old reads files only, and standard input may be a socket, which cannot be opened by name.
  const run = `${virsh.words(before)} "$f"`
  return `f=$(mktemp /tmp/guestcert.XXXXXX)&&cat >"$f"&&${run};s=$?;rm -f "$f";exit $s`
}
