import type { TestParameters } from '../config/parameters.js'
import type { Duration } from './duration.js'
import type { CommandEnd, Guest } from './guest.js'
import { type TestContext, type TestModule, test } from './test.js'

/** The types that a property of a WMI class may have. */
export type CimType =
  | 'string'
  | 'boolean'
  | 'uint8'
  | 'uint16'
  | 'uint32'
  | 'uint64'
  | 'sint16'
  | 'sint32'
  | 'datetime'
  | 'string[]'
  | 'uint16[]'

/** One element of a WMI value: 64-bit numbers are `bigint`, times `Date`. */
export type WmiScalar = string | number | bigint | boolean | Date
/** A WMI value. An empty text is `null`, as not every guest can tell them apart. */
export type WmiValue = null | WmiScalar | readonly WmiScalar[]
/** One WMI object. A property that the guest's version does not have is `null`. */
export type WmiObject = Readonly<Record<string, WmiValue>>

/** What is asked of a WMI class. */
export interface WmiQuery {
  /** Names of properties; with their types, `{ Size: 'uint64' }`, where the class is not among those that are known. */
  readonly get: readonly string[] | Readonly<Record<string, CimType>>
  /** A WQL condition. */
  readonly where?: string
  /** `root\cimv2` if absent. */
  readonly namespace?: string
  /** The lab's limit for commands if absent. */
  readonly limit?: Duration
}

/** A value of the registry. REG_BINARY is upper-case hexadecimal. */
export type RegistryValue =
  | { readonly kind: 'string' | 'expand-string' | 'binary'; readonly value: string }
  | { readonly kind: 'dword'; readonly value: number }
  | { readonly kind: 'qword'; readonly value: bigint }
  | { readonly kind: 'multi-string'; readonly value: readonly string[] }

/** A key of the registry. The default value's name is ''. */
export interface RegistryKey {
  readonly values: ReadonlyMap<string, RegistryValue>
  readonly keys: readonly string[]
}

/** A service, as Win32_Service has it. */
export interface WindowsService {
  readonly name: string
  readonly title: string
  /** `Running`, `Stopped`, `Start Pending`, … */
  readonly state: string
  /** `Boot`, `System`, `Auto`, `Manual`, `Disabled`. */
  readonly start: string
  readonly processId: number
  readonly exitCode: number
}

/** A device, as Win32_PnPEntity has it. */
export interface WindowsDevice {
  readonly id: string
  readonly name: string
  readonly manufacturer: string
  /** The driver's service; '' without one. */
  readonly service: string
  /** 0 when it works; else the device manager's code. */
  readonly errorCode: number
}

/** An event of a log. */
export interface WindowsEvent {
  readonly log: string
  readonly recordNumber: number
  readonly id: number
  readonly provider: string
  /** 1 critical, 2 error, 3 warning, 4 information; 0 where the provider says none. */
  readonly level: number
  readonly at: Date
  readonly data: readonly string[]
}

/** Which events are wanted: all conditions must hold. The newest come first. */
export interface EventQuery {
  readonly ids?: readonly number[]
  readonly levels?: readonly number[]
  readonly providers?: readonly string[]
  /** Only those with a record number above this. */
  readonly afterRecord?: number
  readonly since?: Date
  /** 100 if absent. */
  readonly count?: number
}

/** Whether Windows is licensed, and for how long. */
export interface Activation {
  readonly state: 'licensed' | 'grace' | 'evaluation' | 'notification' | 'unlicensed'
  /** `null` where it does not end. */
  readonly daysLeft: number | null
  readonly name: string
}

/** What became of a PowerShell script. */
export interface ScriptOutcome {
  readonly end: CommandEnd
  /** `ended` by itself, by `exit`, by an error that was thrown; `unknown` when that was not seen. */
  readonly how: 'ended' | 'exit' | 'threw' | 'unknown'
  /** Errors that did not end it: PowerShell goes on after them, and ends with status 0. `null` if not known. */
  readonly errors: number | null
  /** The status of the last program that it started, if any. */
  readonly lastStatus: number | null
  /** True when it ended by itself without any error and without a program's status but 0, or by `exit 0`. */
  readonly succeeded: boolean
  readonly stdout: string
  readonly stderr: string
}

/** What a Windows guest can do beyond any guest. Questions that are asked together travel together. */
export interface WindowsGuest extends Guest {
  /** `6.1.7601`, as the guest itself says it. */
  readonly version: string
  /** The objects of a WMI class. Throws when they could not be had; an empty list is an answer. */
  wmi(name: string, query: WmiQuery): Promise<WmiObject[]>
  /** A key of the registry, `HKLM\…` or `HKU\…`; `null` when it is not there. */
  registry(path: string): Promise<RegistryKey | null>
  services(): Promise<WindowsService[]>
  devices(): Promise<WindowsDevice[]>
  /** Events of a log, as `System`. */
  events(log: string, query?: EventQuery): Promise<WindowsEvent[]>
  /** `null` when the guest has no product key or does not say. */
  activation(): Promise<Activation | null>
  /** Runs a script; throws where the guest has no PowerShell 2.0 or later. */
  powershell(script: string, options?: { readonly limit?: Duration }): Promise<ScriptOutcome>
  /** A folder of this test run's on the guest, without a backslash at its end. */
  readonly folder: string
  writeBytes(path: string, content: Uint8Array): Promise<void>
}

/** What a Windows test has to work with. `P` says which parameters its manifest declares. */
export type WindowsTestContext<P extends TestParameters = TestParameters> = Omit<TestContext<P>, 'guest'> & {
  readonly guest: WindowsGuest
}

/** Declares a test of Windows guests: `export default windowsTest(async ({ guest, expect }) => { … })`. */
export function windowsTest<P extends TestParameters = TestParameters>(
  body: (context: WindowsTestContext<P>) => Promise<void>,
): TestModule {
  return test<P>(async context => {
    if (!isWindows(context.guest)) {
      throw new TypeError('this test is for Windows guests: its manifest must say "applies"')
    }
    await body({ ...context, guest: context.guest })
  })
}

function isWindows(guest: Guest): guest is WindowsGuest {
  return 'wmi' in guest && 'registry' in guest
}
