import { existsSync } from 'node:fs'
import { benchCapacity } from './capacity.js'
import { benchFanOut } from './fan-out.js'
import { benchPowerShell } from './powershell.js'
import { benchVersion } from './version.js'

/** Prints ratios taken in one run on one machine: the seconds beside them mean little elsewhere. */
const print = (line: string): void => {
  process.stdout.write(`${line}\n`)
}

print('Start-up')
await benchVersion(print)
print('\nCapacity: simulated makespan against what no schedule can undercut (1.000 x)')
benchCapacity(print)
print('\nPowerShell: the service that Windows guests get, in a real PowerShell')
await benchPowerShell(print)
print('\nFan-out: 100 addresses of OpenSSH on loopback, 20 at once, 20 scripts each')
if (existsSync('/usr/sbin/sshd') && process.getuid?.() === 0) {
  await benchFanOut(print)
} else {
  print("skipped: it needs root, and Debian's package openssh-server")
}
