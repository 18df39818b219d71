import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { personaModules } from '../emulator/windows/still-guest.test.helper.js'
import { splitArguments } from '../emulator/windows/system/context.js'
import { fileReader } from '../src/guests/windows/powershell.js'
import { encodedCommand, readerText, registryFunction } from '../src/remote/shells/windows/powershell-text.js'
import { killPwsh, startPwsh } from '../src/remote/shells/windows/pwsh.test.fixture.js'

const headBytes = 5

/** What the real PowerShell is to take for its Windows. */
export interface PlayedGuest {
  /** The file with what the module plays. */
  readonly persona: string
  /** The folder that is drive C:. */
  readonly driveC: string
}

/** Runs the real PowerShell for the powershell.exe of a guest: fixtures/powershell/guest/powershell.c has the frames. */
export async function startPowerShellRelay(
  guest: PlayedGuest,
): Promise<{ readonly port: number; close(): Promise<void> }> {
  const sockets = new Set<Socket>()
  const server = createServer(socket => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    serve(socket, guest)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const close = async (): Promise<void> => {
    const closed = once(server, 'close')
    server.close()
    for (const socket of sockets) {
      socket.destroy()
    }
    await closed
  }
  return { port, close }
}

function serve(socket: Socket, guest: PlayedGuest): void {
  let held = Buffer.alloc(0)
  let child: ReturnType<typeof startPwsh> | undefined
  const send = (kind: string, bytes: Buffer): void => {
    const head = Buffer.alloc(headBytes)
    head.write(kind)
    head.writeUInt32BE(bytes.length, 1)
    socket.write(Buffer.concat([head, bytes]))
  }
  const start = (line: string): void => {
    // The first word is the program.
    const args = splitArguments(line).slice(1)
    const fitted = args.map((word, at) => (args[at - 1] === '-EncodedCommand' ? onLinux(word, guest) : word))
    const started = startPwsh(fitted, { PSModulePath: personaModules, GC_PERSONA: guest.persona })
    child = started
    started.stdin?.on('error', () => {})
    started.stdout?.on('data', (bytes: Buffer) => send('o', bytes))
    started.stderr?.on('data', (bytes: Buffer) => send('r', bytes))
    started.on('close', code => {
      const status = Buffer.alloc(4)
      status.writeInt32BE(code ?? -1)
      send('x', status)
      socket.end()
    })
  }
  socket.on('error', () => {})
  socket.on('close', () => {
    if (child) killPwsh(child)
  })
  socket.on('data', chunk => {
    held = Buffer.concat([held, chunk])
    while (held.length >= headBytes && held.length >= headBytes + held.readUInt32BE(1)) {
      const kind = String.fromCharCode(held[0] ?? 0)
      const end = headBytes + held.readUInt32BE(1)
      const bytes = held.subarray(headBytes, end)
      held = held.subarray(end)
      if (kind === 'c') start(bytes.toString('latin1'))
      else if (kind === 'i') child?.stdin?.write(bytes)
      else child?.stdin?.end()
    }
  })
}

/**
 * A text as it can run on Linux, where .NET has no registry and drive C: is a folder: another function in place of the one
 * that reaches the registry, and another path in the text that reads a file.
 */
function onLinux(encoded: string, { driveC }: PlayedGuest): string {
  const text = Buffer.from(encoded, 'base64').toString('utf16le')
  const path = text.endsWith(readerText) ? /^\$gcGiven='([^']*)'/.exec(text)?.[1] : undefined
  if (path === undefined) {
    return encodedCommand(text.replace(registryFunction, 'function Gc-Hive($n){Get-PersonaHive $n}'))
  }
  const windows = Buffer.from(path, 'base64').toString('utf8')
  return encodedCommand(fileReader(windows.replace(/^C:/i, driveC).replaceAll('\\', '/')))
}
