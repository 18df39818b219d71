/** What really happened in a simulated run, written down by what played hosts and guests; the laws compare with it. */
export class Truth {
  /** `INSTANCE TEST` of every script whose whole pass was handed over on a living connection. */
  readonly passesGiven = new Set<string>()
  /** `INSTANCE TEST` of every script that said that a check failed. */
  readonly failuresGiven = new Set<string>()
  /** Instances whose guest broke: crashed, rebooted, fell silent for good, or cannot be used. */
  readonly brokenGuests = new Set<string>()
  /** `INSTANCE WHAT` of all that hosts did to instances of living runners unexpectedly, in order. */
  readonly unexpected: string[] = []
  /** Instances that are on a host now, by host. */
  readonly there = new Map<string, Set<string>>()
  /** The most instances that a host had at once. */
  readonly peaks = new Map<string, number>()
  /** When the lease of a host could have been taken over, by `EPOCH HOST`, in ms of the simulated clock. */
  readonly leaseEnds = new Map<string, number>()
  /** How often each kind of trouble came: one that never comes proves nothing. */
  readonly troubles = new Map<string, number>()

  came(host: string, instance: string): void {
    const there = this.there.get(host) ?? new Set()
    there.add(instance)
    this.there.set(host, there)
    this.peaks.set(host, Math.max(this.peaks.get(host) ?? 0, there.size))
  }

  went(host: string, instance: string): void {
    this.there.get(host)?.delete(instance)
  }

  trouble(kind: string): void {
    this.troubles.set(kind, (this.troubles.get(kind) ?? 0) + 1)
  }
}
