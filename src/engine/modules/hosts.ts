import { HostProcess } from './host-process.js'

/**
 * The processes that run test modules. Each serves one attempt at a time, so that there are at most as many as
 * environments run at once; one in which a module did not end well serves no other.
 */
export class ModuleHosts {
  readonly #idle: HostProcess[] = []
  readonly #all = new Set<HostProcess>()

  /** A process that nobody uses. It must be given back. */
  take(): HostProcess {
    for (let host = this.#idle.pop(); host !== undefined; host = this.#idle.pop()) {
      if (host.isUsable) {
        return host
      }
      this.#end(host)
    }
    const host = new HostProcess()
    this.#all.add(host)
    return host
  }

  giveBack(host: HostProcess, endedWell: boolean): void {
    if (endedWell && host.isUsable) this.#idle.push(host)
    else this.#end(host)
  }

  /** Ends all of them. */
  close(): void {
    for (const host of this.#all) this.#end(host)
    this.#idle.length = 0
  }

  #end(host: HostProcess): void {
    this.#all.delete(host)
    host.kill()
  }
}
