/** Whether a guest stands still: its programs wait wherever they next let others run. */
export class Stillness {
  #resumed: Promise<void> | undefined
  #resume = (): void => {}

  get holds(): boolean {
    return this.#resumed !== undefined
  }

  begin(): void {
    this.#resumed ??= new Promise(resolve => {
      this.#resume = resolve
    })
  }

  end(): void {
    this.#resume()
    this.#resumed = undefined
  }

  /** Resolves when the guest does not stand still. */
  async over(): Promise<void> {
    while (this.#resumed) await this.#resumed
  }
}
