import type { Guest } from './guest.js'
import type { Environment } from './test.js'

/**
 * A second guest of the same run, on the host of the first one: the server of its client, or the client of its server.
 * It is there for tests whose manifest says `needs: { peer: true }`. A connection to it that is lost, or a reboot of it
 * that nobody asked for, is an error of the test and never a failure of the guest.
 */
export interface Peer extends Guest {
  /** Where the first guest reaches it: a name or an IP address, without a port. */
  readonly address: string
  /** What the lab says of it. */
  readonly environment: Environment
}
