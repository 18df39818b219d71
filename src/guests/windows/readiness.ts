import { InfraError } from '../../config/errors.js'
import { untilAborted, type WindowsMachine } from '../../remote/index.js'
import { readRegistry } from './registry.js'
import { queryWmi } from './wmi.js'

/** What stands between a guest that answers and one that may be tested. */
export interface Readiness {
  /** Passes by itself: services that start, updates that are being installed. */
  readonly unsettled: readonly string[]
  /** Does not pass: somebody has to see to it. */
  readonly faults: readonly string[]
}

/** Where a reboot that something waits for shows. */
const pendingKeys: readonly (readonly [key: string, who: string])[] = [
  [
    'HKLM\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Component Based Servicing\\RebootPending',
    'servicing',
  ],
  [
    'HKLM\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\WindowsUpdate\\Auto Update\\RebootRequired',
    'Windows Update',
  ],
]
const sessionManager = 'HKLM\\SYSTEM\\CurrentControlSet\\Control\\Session Manager'
/** The registry of the local service account: only an elevated token may look into it. */
const elevatedOnly = 'HKU\\S-1-5-19'
/** Programs that install updates. The installer service itself also runs for hours without doing so. */
const installers = ['TiWorker.exe', 'wusa.exe', 'update.exe', 'mofcomp.exe']
const pollMs = 1_000

/** The keys that are looked into, with what is to be found there: for docs/windows-commands.md. */
export const readinessKeys: readonly (readonly [key: string, what: string])[] = [
  [elevatedOnly, 'is there, and is denied to a token that is not elevated'],
  [sessionManager, 'is there; PendingFileRenameOperations (REG_MULTI_SZ) only while a reboot is pending'],
  ...pendingKeys.map(([key, who]) => [key, `only while ${who} waits for a reboot`] as const),
]

/** Looks once. Throws InfraError when the guest does not answer. */
export async function readReadiness(machine: WindowsMachine, signal: AbortSignal): Promise<Readiness> {
  const asked = { signal }
  const [elevated, manager, services, processes, ...pending] = await Promise.all([
    readRegistry(machine, elevatedOnly, asked).catch((error: unknown) => {
      const isAnswer =
        error instanceof InfraError && error.context.cause === 'guest' && error.context.code === 'command'
      // A question that could not be asked says nothing about the token.
      if (machine.lost.aborted || signal.aborted || !isAnswer) {
        throw error
      }
      return null
    }),
    readRegistry(machine, sessionManager, asked),
    queryWmi(machine, 'Win32_Service', {
      get: ['Name', 'State'],
      where: "State = 'Start Pending' OR State = 'Stop Pending'",
      ...asked,
    }),
    queryWmi(machine, 'Win32_Process', {
      get: ['Name', 'ProcessId'],
      where: installers.map(name => `Name = '${name}'`).join(' OR '),
      ...asked,
    }),
    ...pendingKeys.map(([key]) => readRegistry(machine, key, asked)),
  ])
  const renames = manager?.values.get('PendingFileRenameOperations')
  return {
    unsettled: [
      ...services.map(({ Name, State }) => `the service ${String(Name)} is in the state ${String(State)}`),
      ...processes.map(({ Name }) => `${String(Name)} is installing`),
    ],
    faults: [
      ...(elevated === null
        ? ['its commands run without an elevated token: log in as an administrator']
        : []),
      ...(manager === null ? [`${sessionManager} is not there`] : []),
      ...pending.flatMap((key, index) =>
        key === null ? [] : [`a reboot is pending: ${pendingKeys[index]?.[1] ?? ''} waits for it`],
      ),
      ...(renames?.kind === 'multi-string' && renames.value.length > 0
        ? ['a reboot is pending: files are to be renamed in it']
        : []),
    ],
  }
}

/** How long a guest is waited for, and who is told. */
export interface ReadyOptions {
  readonly limitMs: number
  readonly signal: AbortSignal
  /** Called after each look that found something unsettled, with what that is. */
  readonly onWait?: (unsettled: string) => void
}

/**
 * Waits until a guest is ready for tests. Throws InfraError (`boot`) when it needs somebody to see to it, or has not
 * settled within the limit.
 */
export async function untilReady(
  machine: WindowsMachine,
  { limitMs, signal, onWait }: ReadyOptions,
): Promise<void> {
  const until = performance.now() + limitMs
  for (;;) {
    const { unsettled, faults } = await readReadiness(machine, signal)
    if (faults.length > 0) {
      throw notReady(machine, faults.join('; '))
    }
    if (unsettled.length === 0) {
      return
    }
    if (performance.now() + pollMs > until) {
      throw notReady(machine, `within the limit "boot" of ${limitMs} ms: ${unsettled.join('; ')}`, 'boot')
    }
    onWait?.(unsettled.join('; '))
    await untilAborted(pollMs, signal, machine.lost)
    signal.throwIfAborted()
  }
}

function notReady(machine: WindowsMachine, why: string, limit?: string): InfraError {
  return new InfraError(`${machine.label}: the guest is not ready: ${why}`, {
    cause: 'guest',
    where: machine.label,
    code: 'boot',
    ...(limit === undefined ? {} : { limit }),
  })
}
