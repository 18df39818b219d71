/** One session of a simulated run, as those know it who play its surroundings. */
export interface Session {
  /** From 1. */
  readonly epoch: number
  /** In ms of the simulated clock, since the first session began. */
  now(): number
  /** True once its runner has died: nothing that it still does reaches a host. */
  isDead(): boolean
}
