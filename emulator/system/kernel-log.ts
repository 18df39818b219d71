/** One line of the kernel's log. */
export interface KernelLine {
  /** Seconds since boot. */
  readonly atSec: number
  readonly text: string
  readonly level: number
}

/** The kernel's ring buffer. */
export class KernelLog {
  readonly #lines: KernelLine[] = []
  /** Whether `dmesg` shows the time before each line: kernels before printk times do not. */
  readonly timestamps: boolean

  /** Told of each line as it is written. */
  heard: ((line: KernelLine) => void) | undefined

  constructor(timestamps: boolean) {
    this.timestamps = timestamps
  }

  add(text: string, atSec: number, level = 6): void {
    const line = { atSec, text, level }
    this.#lines.push(line)
    this.heard?.(line)
  }

  clear(): void {
    this.#lines.length = 0
  }

  lines(): readonly KernelLine[] {
    return this.#lines
  }

  /** As `dmesg` prints a line. */
  format({ atSec, text }: KernelLine): string {
    return this.timestamps ? `[${atSec.toFixed(6).padStart(12)}] ${text}` : text
  }
}
