import { quote } from '../../remote/index.js'
import { type CallOptions, hostError } from '../shared/host-commands.js'
import type { Virsh } from './virsh.js'

/** What one look fetches at most; the next one goes on from there. */
const maxReadBytes = 256 * 1024

/** Reads a console from its file, which may begin anew. */
export interface ConsoleReader {
  /** What was written since the last time. */
  read(signal: AbortSignal): Promise<Buffer>
  /** From now on the file is another one, read from its beginning: the domain was started anew, or moved. */
  begin(): void
}

export interface ConsoleRequest {
  /** The host that writes it: another one when the domain has been moved. */
  readonly virsh: () => Virsh
  /** The file on the host that the guest's console is written to. */
  readonly file: string
  readonly where: string
  /** False when the file holds what was written before this instance. */
  readonly fromStart: boolean
  readonly call: (signal: AbortSignal) => CallOptions
}

/** Reads a guest's console from its file on the host. */
export function consoleReader({ virsh, file, where, fromStart, call }: ConsoleRequest): ConsoleReader {
  let offset: number | null = fromStart ? 0 : null
  let beginnings = 0
  const read = async (signal: AbortSignal): Promise<Buffer> => {
    const { host, run } = virsh()
    const before = beginnings
    const { code, stdout } = await run(readCommand(file, offset), {
      ...call(signal),
      keepBytes: maxReadBytes + headBytes,
    })
    const end = stdout.bytes.indexOf(0x0a)
    const [, from = ''] = /^(\d+)$/.exec(stdout.bytes.subarray(0, Math.max(0, end)).toString('latin1')) ?? []
    if (code !== 0 || from === '') {
      throw hostError(where, `${where} on ${host}: ${file} cannot be read`)
    }
    const bytes = stdout.bytes.subarray(end + 1)
    if (before === beginnings) {
      offset = Number(from) + bytes.length
    }
    return bytes
  }
  return {
    read,
    begin: () => {
      beginnings += 1
      offset = 0
    },
  }
}

/** The line that says where the bytes begin. */
const headBytes = 32

/**
 * Prints the offset that it reads from, then the bytes. A file that is shorter than before was begun anew:
 * virtlogd moves a log aside when it has grown (`max_size` of virtlogd.conf).
 */
function readCommand(file: string, offset: number | null): string {
  const size = `s=$(wc -c <${quote(file)})&&s=$((s))`
  const from = offset === null ? 'o=$s' : `o=${offset};[ $o -le $s ]||o=0`
  return `${size}||exit 1;${from};echo $o;tail -c +$((o+1)) ${quote(file)}|head -c ${maxReadBytes}`
}
