import { existsSync } from 'node:fs'
import { benchCapacity } from './capacity.js'
import { benchFanOut } from './fan-out.js'
import { benchMemory } from './memory.js'
import { benchModules } from './modules.js'
import { benchPowerShell } from './powershell.js'
import { benchRecord } from './record.js'
import { benchRoundTrips } from './round-trips.js'
import { type Servers, startServers } from './sshd.js'
import { benchVersion } from './version.js'

/** Prints ratios taken in one run on one machine: the seconds beside them mean little elsewhere. */
const print = (line: string): void => {
  process.stdout.write(`${line}\n`)
}
const [addresses, port] = [100, 22901]
const words = process.argv.slice(2)

/** Legs can be named on the command line; all of them run else. */
async function leg(name: string, title: string, run: () => Promise<void> | void): Promise<void> {
  if (words.length === 0 || words.includes(name)) {
    print(`${title}\n`)
    await run()
    print('')
  }
}

/** A leg that needs SSH servers. */
function overSsh(
  bench: (servers: Servers, print: (line: string) => void) => Promise<void>,
): () => Promise<void> {
  return async () => {
    if (!existsSync('/usr/sbin/sshd') || process.getuid?.() !== 0) {
      print("skipped: it needs root, and Debian's package openssh-server")
      return
    }
    const servers = await startServers(addresses, port)
    try {
      await bench(servers, print)
    } finally {
      await servers.close()
    }
  }
}

await leg('start-up', 'Start-up', () => benchVersion(print))
await leg('capacity', 'Capacity: simulated makespan against what no schedule can undercut (1.000 x)', () =>
  benchCapacity(print),
)
await leg('powershell', 'PowerShell: the service that Windows guests get, in a real PowerShell', () =>
  benchPowerShell(print),
)
await leg(
  'fan-out',
  'Fan-out: 100 addresses of OpenSSH on loopback, 20 at once, 20 scripts each',
  overSsh(benchFanOut),
)
await leg(
  'round-trips',
  'Round trips: 20 guests that are 20 ms of round trip away, 20 at once, 20 scripts each',
  overSsh(benchRoundTrips),
)
await leg('memory', 'Memory: 1,000 guests with 50 tests each in one run, 20 at once', overSsh(benchMemory))
await leg('record', 'Record: 10,000 entries', () => benchRecord(print))
await leg('modules', 'Modules: 20 guests, 4 at once, 10 tests each', overSsh(benchModules))
