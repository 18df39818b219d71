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

  constructor(timestamps: boolean) {
    this.timestamps = timestamps
  }

  add(text: string, atSec: number, level = 6): void {
    this.#lines.push({ atSec, text, level })
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
