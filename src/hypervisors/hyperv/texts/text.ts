/** A PowerShell text for a Hyper-V host: a constant, whose arguments travel as data. */
export interface HostText {
  /** By which messages call it. */
  readonly name: string
  /** The keys of the rows that it gives. */
  readonly columns: readonly string[]
  readonly text: string
  /** What it is for, for people with a real host. */
  readonly why: string
  /** Where its commands, and what they give, are described or were seen. */
  readonly sources: readonly string[]
}

/**
 * Paths of Windows reach .NET through this one function, for which a test may put another. Cmdlets take them as they
 * are.
 */
export const pathFunction = 'function Gc-Path($p){$p}'

const module = 'https://learn.microsoft.com/en-us/powershell/module/hyper-v'

/** The page of a cmdlet of the Hyper-V module. */
export function cmdlet(name: string): string {
  return `${module}/${name.toLowerCase()}`
}

/** The page of a class of `root\virtualization\v2`. */
export function wmiClass(name: string): string {
  return `https://learn.microsoft.com/en-us/windows/win32/hyperv_v2/${name.toLowerCase().replaceAll('_', '-')}`
}
