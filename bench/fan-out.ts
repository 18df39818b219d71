import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'
import { writeLab } from './lab.js'
import { bare, compare, measureRun, type Taken } from './measure.js'
import type { Servers } from './sshd.js'

const guests = 100
const parallel = 20
const testsEach = 20

/**
 * 100 addresses of OpenSSH on loopback, 20 at once, 20 scripts each, one connection an address: the whole run, with one
 * channel at a time and with several, against a bare ssh2 loop, and against OpenSSH with ControlMaster.
 */
export async function benchFanOut(servers: Servers, print: (line: string) => void): Promise<void> {
  const lab = join(servers.folder, 'scripts')
  const scripts = await writeLab({ folder: lab, servers, guests, testsEach, kind: 'script' })
  const commands = scripts.map(path => `sh ${path}`)
  const several = join(servers.folder, 'several-at-once')
  await writeLab({ folder: several, servers, guests, testsEach, kind: 'parallel' })
  await compare(
    {
      ways: {
        'bare ssh2 loop': bare({ servers, folder: lab, guests, parallel, commands, isPrompt: false }),
        'the same, TCP_NODELAY': bare({ servers, folder: lab, guests, parallel, commands, isPrompt: true }),
        guestcert: () => measureRun(lab, parallel, guests * (testsEach + 1)),
        'guestcert, four at once': () => measureRun(several, parallel, guests * (testsEach + 1)),
        'OpenSSH, ControlMaster': () => openssh(servers, lab, commands),
      },
      servers,
      tests: guests * testsEach,
    },
    print,
  )
}

/** One master connection an address, then a client process a command, as administrators do it. */
async function openssh(servers: Servers, folder: string, commands: readonly string[]): Promise<Taken> {
  const { user, keyPath, port } = servers
  const options = `-i ${keyPath} -p ${port} -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR -o ControlPath=${folder}/cm-%h`
  const each = commands.map(command => `ssh ${options} ${user}@$1 ${command} >/dev/null`)
  const visit = `ssh ${options} -o ControlMaster=yes -o ControlPersist=yes -fN ${user}@$1\n${each.join('\n')}\nssh ${options} -O exit ${user}@$1 2>/dev/null\n`
  await writeFile(join(folder, 'visit.sh'), visit)
  await writeFile(join(folder, 'addresses'), `${servers.addresses.slice(0, guests).join('\n')}\n`)
  const started = performance.now()
  const { stdout } = await execa('bash', [
    '-c',
    `xargs -P ${parallel} -n 1 sh ${folder}/visit.sh < ${folder}/addresses; times`,
  ])
  const sec = (performance.now() - started) / 1000
  const used = (stdout.split('\n').at(-1) ?? '').matchAll(/(\d+)m([\d.]+)s/g)
  const cpuSec = [...used].reduce(
    (sum, [, minutes, seconds]) => sum + Number(minutes) * 60 + Number(seconds),
    0,
  )
  return { sec, cpuSec, waitedSec: Number.NaN, rssMiB: Number.NaN }
}
