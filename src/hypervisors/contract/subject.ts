import type { Ability, Driver, GuestRequest, Instance, RunningGuest } from '../driver.js'

/** What the guest itself can be asked, where there is one and it lets us in. */
export interface GuestInside {
  /** Resolves when the guest has answered a command. Throws InfraError. */
  untilUp(running: RunningGuest): Promise<void>
  /** Writes a marker to the guest's disk. */
  mark(running: RunningGuest, name: string): Promise<void>
  isMarked(running: RunningGuest, name: string): Promise<boolean>
}

/** A driver on a host, and what else is needed to see whether it keeps the contract. */
export interface ContractSubject {
  readonly driver: Driver
  /** The instance that is made, again and again: nobody else's. */
  readonly request: GuestRequest
  /** Ends the test; what was made is removed all the same. */
  readonly signal: AbortSignal
  /** How long an end that nobody asked for may take to be noticed. */
  readonly lossMs: number
  /** All that instances have on the host, by another account than the instance's own. */
  left(): Promise<readonly string[]>
  /** False where what the host is given passes unheard, so that it can be neither counted nor refused. Absent: it is heard. */
  hearsCommands?(): boolean
  /** Calls with the number of every command that the host is given from now on. */
  onCommand(listener: (number: number) => void): void
  /** Makes the host refuse the n-th command from now on; none for 0. */
  refuse(number: number): void
  /** Ends the instance behind the driver's back. */
  end(running: RunningGuest): Promise<void>
  /** Ends it and starts it again, behind the driver's back. */
  restart?(running: RunningGuest): Promise<void>
  /** False where the host gives a machine no mark of its start, so that nobody can tell that it was started anew. */
  readonly showsRestarts?: false
  /** Absent where no guest runs in the virtual machine, or none that can be asked. */
  readonly inside?: GuestInside
}

/** One thing that was looked at. */
export interface Claim {
  /** What was to hold, and what was seen where it did not. */
  readonly what: string
  readonly held: boolean
  /** The ability that it is about. */
  readonly of?: Ability
}

export type Say = (claim: Claim) => void

/** One part of the contract. */
export interface ContractStep {
  readonly name: string
  /** What the step shows, in words. */
  readonly title: string
  /** Why it cannot be shown with this subject; absent where it always can. */
  whyNot?(subject: ContractSubject): string | null
  /** Says each thing that it looked at. What it throws did not hold either. */
  carryOut(subject: ContractSubject, say: Say): Promise<void>
}

/** What is removed is removed to its end. */
export const never: AbortSignal = new AbortController().signal

/** Works with an instance, and removes it at the end, whatever happened. */
export async function withInstance<T>(
  { driver, request }: ContractSubject,
  work: (instance: Instance) => Promise<T>,
): Promise<T> {
  const instance = driver.instance(request)
  try {
    return await work(instance)
  } finally {
    await instance.remove(never)
  }
}

/** Says whether anything is left. */
export async function sayNothingLeft(subject: ContractSubject, say: Say, when: string): Promise<void> {
  const left = await subject.left()
  say({
    held: left.length === 0,
    what: left.length === 0 ? `${when}: nothing is left` : `${when}: left: ${left.join(', ')}`,
  })
}
