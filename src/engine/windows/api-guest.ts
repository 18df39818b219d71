import { durationMs } from '../../api/duration.js'
import type { Guest } from '../../api/guest.js'
import type { ScriptOutcome, WindowsGuest } from '../../api/windows.js'
import { readActivation } from '../../guests/windows/activation.js'
import { asWindows } from '../../guests/windows/boot-identity.js'
import { readDevices, readServices } from '../../guests/windows/devices.js'
import { readEvents } from '../../guests/windows/events.js'
import { runPowerShell } from '../../guests/windows/powershell.js'
import { readRegistry } from '../../guests/windows/registry.js'
import { queryWmi } from '../../guests/windows/wmi.js'
import type { WindowsMachine } from '../../remote/index.js'
import type { Served } from '../api-guest.js'
import type { EvidenceFile } from '../evidence.js'
import type { GuestSession } from '../session.js'

/** A Windows guest as test modules see it. Every question and its answer goes to the test's evidence. */
export function windowsGuestFor(
  session: GuestSession,
  guest: Served<Guest>,
  log: EvidenceFile,
  signal: AbortSignal,
): Served<WindowsGuest> {
  const machine = (): WindowsMachine => asWindows(session.machine)
  const logged = async <T>(what: string, asking: Promise<T>): Promise<T> => {
    try {
      const answer = await asking
      await log.write(Buffer.from(`? ${what}\n${describe(answer)}\n`))
      return answer
    } catch (error) {
      await log.write(
        Buffer.from(`? ${what}\n--- ${error instanceof Error ? error.message : String(error)}\n`),
      )
      throw error
    } finally {
      signal.throwIfAborted()
    }
  }
  return {
    ...guest,
    version: machine().look.version,
    folder: session.folder,
    wmi: (name, { limit, ...query }) =>
      logged(
        `wmi ${name} ${JSON.stringify(query)}`,
        queryWmi(machine(), name, {
          ...query,
          signal,
          ...(limit === undefined ? {} : { limitMs: durationMs(limit) }),
        }),
      ),
    registry: path => logged(`registry ${path}`, readRegistry(machine(), path, { signal })),
    services: () => logged('services', readServices(machine(), signal)),
    devices: () => logged('devices', readDevices(machine(), signal)),
    events: (name, query = {}) =>
      logged(`events ${name} ${JSON.stringify(query)}`, readEvents(machine(), name, { ...query, signal })),
    activation: () => logged('activation', readActivation(machine(), signal)),
    powershell: async (script, { limit } = {}) => {
      const run = runPowerShell(machine(), script, {
        signal,
        ...(limit === undefined ? {} : { limitMs: durationMs(limit) }),
      })
      const { result, ...rest } = await logged(`powershell\n${script}`, run)
      const outcome: ScriptOutcome = { ...rest, end: result.exit, stderr: result.stderr.text }
      return outcome
    },
    readFile: async path => decodeText(await machine().readFile(path, signal)),
    writeBytes: (path, content) =>
      logged(
        `write ${path} (${content.length} bytes)`,
        machine().writeFile(path, Buffer.from(content), signal),
      ),
  }
}

/** Text files of Windows are in UTF-16 or UTF-8 with a mark, or plain. */
function decodeText(bytes: Buffer): string {
  return bytes[0] === 0xff && bytes[1] === 0xfe
    ? bytes.subarray(2).toString('utf16le')
    : bytes.toString('utf8').replace(/^\ufeff/, '')
}

function describe(answer: unknown): string {
  const plain = (_: string, value: unknown): unknown =>
    typeof value === 'bigint' ? value.toString() : value instanceof Map ? Object.fromEntries(value) : value
  return JSON.stringify(answer, plain, 1) ?? 'done'
}
