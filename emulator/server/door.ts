import type { RunningServer, ServerRequest } from './ssh-server.js'
import { serve } from './ssh-server.js'

/** The port of a guest: open while it is up, and deaf while it stands still. */
export class Door {
  #server: RunningServer | undefined
  #isDeaf = false
  /** Counts what opened it: one that was closed meanwhile stays so. */
  #turn = 0

  /** False when it was closed while it opened. */
  async open(request: ServerRequest): Promise<boolean> {
    const turn = ++this.#turn
    const server = await serve(request)
    if (turn !== this.#turn) {
      await server.close()
      return false
    }
    this.#server = server
    if (this.#isDeaf) server.pause()
    return true
  }

  /** Cuts every connection and closes the port. */
  async close(): Promise<void> {
    this.#turn++
    const server = this.#server
    this.#server = undefined
    await server?.close()
  }

  /** Cuts every connection; new ones come in. */
  cut(): void {
    this.#server?.cut()
  }

  /** Neither reads nor answers, or does again. */
  set deaf(is: boolean) {
    this.#isDeaf = is
    if (is) this.#server?.pause()
    else this.#server?.resume()
  }
}
