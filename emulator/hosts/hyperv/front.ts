import { SystemError } from '../../files/errno.js'
import type { ManagedHostPersona } from '../../persona/schema.js'
import { HostRefusal, type HostRow, type HostTexts } from '../../windows/powershell/host-texts.js'
import type { HostFaults } from '../faults.js'
import type { Hypervisor } from '../hypervisor.js'
import { Trouble } from '../trouble.js'
import { answers } from './answers.js'
import { HostLeases } from './lease.js'
import { Machines } from './machines.js'
import { hyperVScript } from './script.js'
import { type HyperVText, nameOfText } from './texts.js'

/** A Hyper-V host as its PowerShell answers for it. */
export interface HyperVHost {
  readonly hypervisor: Hypervisor
  readonly persona: ManagedHostPersona & { readonly hyperv: NonNullable<ManagedHostPersona['hyperv']> }
  readonly faults: HostFaults
  /** How the host is called. */
  readonly name: string
  readonly machines: Machines
  readonly leases: HostLeases
  /** Which machine is lent to whom, as the host's files say it, by instance. */
  readonly claims: Map<string, string>
  /** Told of each text before it is carried out. */
  onText(name: HyperVText): void
}

/** Answers the texts of guestcert's Hyper-V driver over the one model of a hypervisor; refuses any other. */
export function hyperVTexts(
  given: Omit<HyperVHost, 'machines' | 'leases' | 'claims'>,
): HostTexts & { readonly host: HyperVHost } {
  const machines = new Machines(given.hypervisor, given.faults)
  const host: HyperVHost = { ...given, machines, leases: new HostLeases(), claims: new Map() }
  // Before 2012 there is no module that PowerShell's texts could use.
  const isScripted = given.persona.hyperv.version.startsWith('2008')
  return {
    host,
    ...(isScripted ? { script: hyperVScript(host) } : {}),
    carryOut: async (text, args, sleep) => {
      if (isScripted) {
        throw new HostRefusal(
          'CommandNotFoundException',
          '80131501',
          "The term 'Hyper-V\\Get-VM' is not recognized as the name of a cmdlet, function, script file, or operable program.",
        )
      }
      const name = nameOfText(text)
      if (name === undefined) {
        const shown = text.trim().split('\n')[0]?.slice(0, 60) ?? ''
        throw new HostRefusal('Emulator', '80131501', `emulator: "${shown}" is not a text of guestcert`)
      }
      host.onText(name)
      await sleep(host.faults.slow?.ms ?? 0)
      try {
        const rows: readonly HostRow[] = await answers[name](host, args)
        return [...rows]
      } catch (error) {
        throw refusalOf(error, host.faults, name)
      }
    },
  }
}

/** As Hyper-V's cmdlets tell what went wrong: identifiers and words from the transcripts in docs/hyperv.md. */
function refusalOf(error: unknown, { localised }: HostFaults, text: HyperVText): unknown {
  const told = (id: string, hresult: string, message: string): HostRefusal =>
    new HostRefusal(id, hresult, localised?.message ?? message)
  if (error instanceof HostRefusal) return told(error.id, error.hresult, error.message)
  if (error instanceof SystemError) {
    return error.code === 'ENOSPC'
      ? told(
          'OperationFailed,Microsoft.HyperV.PowerShell.Commands',
          '80070070',
          'There is not enough space on the disk. (0x80070070).',
        )
      : told('FileNotFoundException', '80070002', `Could not find file: ${error.path}`)
  }
  if (!(error instanceof Trouble)) return error
  if (/Cannot allocate memory/.test(error.message)) {
    return told(
      'OutOfMemory,Microsoft.HyperV.PowerShell.Commands.StartVM',
      '8007000E',
      'Not enough memory in the system to start the virtual machine.',
    )
  }
  return told(
    `${error.kind === 'invalid' ? 'InvalidState' : 'OperationFailed'},Microsoft.HyperV.PowerShell.Commands.${text}`,
    '80131500',
    error.kind === 'invalid'
      ? 'The operation cannot be performed while the object is in its current state.'
      : error.message,
  )
}
