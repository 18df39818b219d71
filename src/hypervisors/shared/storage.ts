import { quote } from '../../remote/index.js'
import { type CallOptions, type HostCommands, read } from './host-commands.js'
import { UnknownOutput } from './unknown-output.js'

/** A file that an instance needs before it starts. */
export interface CloneFile {
  readonly from: string
  readonly to: string
  readonly how: 'overlay' | 'copy'
}

/** Makes a file of an instance on the host. A base that a running guest writes to is refused by qemu-img. */
export async function makeFile(
  commands: HostCommands,
  { from, to, how }: CloneFile,
  call: CallOptions,
): Promise<void> {
  if (how === 'overlay') {
    const format = read(
      parseImageFormat,
      await commands.demand(`qemu-img info ${quote(from)}`, call),
      commands.host,
    )
    const options = `-f qcow2 -F ${quote(format)} -b ${quote(from)}`
    await commands.demand(`qemu-img create ${options} ${quote(to)} >/dev/null`, call)
    return
  }
  // Sharing blocks costs nothing where the file system can; --reflink is not known everywhere.
  const [source, target] = [quote(from), quote(to)]
  await commands.demand(
    `cp --reflink=auto --sparse=always ${source} ${target} 2>/dev/null || cp --sparse=always ${source} ${target}`,
    call,
  )
}

/** Makes an empty disk; a raw one takes no tool that an old host lacks. */
export async function makeDisk(
  commands: HostCommands,
  { file, format, sizeBytes }: { file: string; format: 'raw' | 'qcow2'; sizeBytes: number },
  call: CallOptions,
): Promise<void> {
  const bytes = Math.ceil(sizeBytes)
  const command =
    format === 'raw'
      ? `dd if=/dev/zero of=${quote(file)} bs=1 count=0 seek=${bytes} 2>/dev/null`
      : `qemu-img create -f qcow2 ${quote(file)} ${bytes} >/dev/null`
  await commands.demand(command, call)
}

/** Removes files, those that are not there too. */
export async function removeFiles(
  commands: HostCommands,
  files: readonly string[],
  call: CallOptions,
): Promise<void> {
  if (files.length > 0) {
    await commands.demand(`rm -f ${files.map(quote).join(' ')}`, call)
  }
}

/** Reads `qemu-img info`: the format of an image. */
export function parseImageFormat(text: string): string {
  const format = /^file format: (\S+)$/m.exec(text)?.[1]
  if (format === undefined) {
    throw new UnknownOutput('what qemu-img says', text.trim())
  }
  return format
}
