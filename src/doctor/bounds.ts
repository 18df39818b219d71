/** How far things may be off before they count as missing. */
export interface Bounds {
  /** Between a machine's clock and ours, in ms. */
  readonly clockMs: number
  /** Free bytes where instances are made, and on guests where tests write. */
  readonly freeBytes: number
}
