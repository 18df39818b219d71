import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { execa } from 'execa'
import { type Servers, startServers } from './sshd.js'

const addresses = 100
const parallel = 20
const testsEach = 20
const rounds = 3
const port = 22901

/** What one way of doing the same work took. */
interface Taken {
  readonly sec: number
  readonly cpuSec: number
  readonly rssMiB: number
}

/** The same with what the servers used meanwhile: where client and servers share a machine it counts twice. */
interface Measured extends Taken {
  readonly serverSec: number
}

type Way = (servers: Servers, folder: string) => Promise<Taken>

/**
 * 100 addresses of OpenSSH on loopback, 20 at once, 20 scripts each, one connection an address and one
 * channel at a time: the whole pass against a bare ssh2 loop, and against OpenSSH with ControlMaster.
 */
export async function benchFanOut(print: (line: string) => void): Promise<void> {
  const servers = await startServers(addresses, port)
  try {
    const folder = join(servers.folder, 'work')
    await prepare(servers, folder)
    const ways: Readonly<Record<string, Way>> = {
      'bare ssh2 loop': bare('bare'),
      'the same, TCP_NODELAY': bare('prompt'),
      guestcert: pass,
      'OpenSSH, ControlMaster': openssh,
    }
    const taken = new Map<string, Measured[]>(Object.keys(ways).map(name => [name, []]))
    for (let round = 0; round < rounds; round += 1) {
      // Taken in turns, so that a busy moment of the machine falls on all of them.
      for (const [name, way] of Object.entries(ways)) {
        taken.get(name)?.push(await measured(way, servers, folder))
      }
    }
    const yardstick = median(taken.get('bare ssh2 loop') ?? [])
    print('                         wall    ratio   CPU ms a script: client  servers  memory')
    for (const [name, all] of taken) {
      print(`${name.padEnd(24)} ${row(median(all), yardstick)}`)
    }
  } finally {
    await servers.close()
  }
}

async function measured(way: Way, servers: Servers, folder: string): Promise<Measured> {
  const before = await servers.cpuSec()
  const taken = await way(servers, folder)
  return { ...taken, serverSec: (await servers.cpuSec()) - before }
}

function row({ sec, cpuSec, serverSec, rssMiB }: Measured, yardstick: Measured): string {
  const each = (all: number): string => ((all * 1000) / (addresses * testsEach)).toFixed(2).padStart(8)
  const ratio = (sec / yardstick.sec).toFixed(2).padStart(5)
  const memory = Number.isNaN(rssMiB) ? '' : `${rssMiB.toFixed(0)} MiB`.padStart(9)
  return `${sec.toFixed(2).padStart(5)} s ${ratio} x          ${each(cpuSec)} ${each(serverSec)} ${memory}`
}

async function prepare(servers: Servers, folder: string): Promise<void> {
  const suite = join(folder, 'suite')
  await mkdir(suite, { recursive: true })
  await chmod(folder, 0o755)
  const names = scripts()
  for (const name of names) {
    await writeFile(join(suite, name), "#!/bin/sh\nprintf 'TAP version 14\\nok 1 - it is here\\n1..1\\n'\n", {
      mode: 0o755,
    })
  }
  const tests = names.map(
    (name, index) =>
      `  - { id: t${index + 1}, title: "Number ${index + 1}", requirements: [B-1], level: required, script: ${name}, protocol: tap }`,
  )
  await writeFile(
    join(suite, 'suite.yaml'),
    `suite: bench\nversion: 1.0.0\ntitle: Bench\ntests:\n${tests.join('\n')}\n`,
  )
  const guests = servers.addresses.map(
    (address, index) =>
      `  g${index + 1}: { product: linux, version: "1", arch: x86_64, login: { user: ${servers.user}, key: "file:${servers.keyPath}", hostKey: "${servers.hostKey}" }, on: { here: { address: "${address}:${port}", configuration: {} } } }`,
  )
  await writeFile(
    join(folder, 'lab.yaml'),
    `lab: bench\nhosts: { here: { product: none, version: "1", driver: static } }\nguests:\n${guests.join('\n')}\nsuites: [./suite]\n`,
  )
  const commands = names.map(name => `sh ${join(suite, name)}`)
  const { addresses: all, user, keyPath } = servers
  for (const isPrompt of [false, true]) {
    const task = { addresses: all, port, user, keyPath, commands, parallel, isPrompt }
    await writeFile(join(folder, isPrompt ? 'prompt.json' : 'bare.json'), JSON.stringify(task))
  }
}

function scripts(): string[] {
  return Array.from({ length: testsEach }, (_, index) => `t${index + 1}.sh`)
}

function bare(task: 'bare' | 'prompt'): Way {
  return (_servers, folder) => node(folder, ['dist/bench/bare.js', join(folder, `${task}.json`)])
}

async function pass(_servers: Servers, folder: string): Promise<Taken> {
  const output = join(folder, 'reports')
  const words = ['run', join(folder, 'lab.yaml'), '-o', output, '--parallel', String(parallel), '-q']
  const taken = await node(folder, ['dist/src/cli/main.js', ...words])
  const summary = JSON.parse(await readFile(join(output, 'latest/summary.json'), 'utf8')) as {
    counts: { pass: number }
  }
  // Each guest is brought up, and that is a result too.
  if (summary.counts.pass !== addresses * (testsEach + 1)) {
    throw new Error(`only ${summary.counts.pass} tests passed: the measurement is void`)
  }
  return taken
}

async function node(folder: string, words: readonly string[]): Promise<Taken> {
  const usage = join(folder, 'usage.json')
  const started = performance.now()
  await execa(process.execPath, ['--import', resolve('dist/bench/usage.js'), ...words], {
    env: { BENCH_USAGE: usage },
  })
  const sec = (performance.now() - started) / 1000
  return { sec, ...(JSON.parse(await readFile(usage, 'utf8')) as { cpuSec: number; rssMiB: number }) }
}

/** One master connection an address, then a client process a command, as administrators do it. */
async function openssh(servers: Servers, folder: string): Promise<Taken> {
  const { user, keyPath } = servers
  const options = `-i ${keyPath} -p ${port} -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR -o ControlPath=${folder}/cm-%h`
  const commands = scripts().map(
    name => `ssh ${options} ${user}@$1 sh ${join(folder, 'suite', name)} >/dev/null`,
  )
  const visit = `ssh ${options} -o ControlMaster=yes -o ControlPersist=yes -fN ${user}@$1\n${commands.join('\n')}\nssh ${options} -O exit ${user}@$1 2>/dev/null\n`
  await writeFile(join(folder, 'visit.sh'), visit)
  await writeFile(join(folder, 'addresses'), `${servers.addresses.join('\n')}\n`)
  const started = performance.now()
  const { stdout } = await execa('bash', [
    '-c',
    `xargs -P ${parallel} -n 1 sh ${folder}/visit.sh < ${folder}/addresses; times`,
  ])
  const sec = (performance.now() - started) / 1000
  const cpuSec = [
    ...stdout
      .split('\n')
      .slice(-1)
      .join('')
      .matchAll(/(\d+)m([\d.]+)s/g),
  ].reduce((sum, [, minutes, seconds]) => sum + Number(minutes) * 60 + Number(seconds), 0)
  return { sec, cpuSec, rssMiB: Number.NaN }
}

function median(all: readonly Measured[]): Measured {
  const sorted = [...all].sort((a, b) => a.sec - b.sec)
  const middle = sorted[Math.floor(sorted.length / 2)]
  if (middle === undefined) {
    throw new RangeError('nothing was measured')
  }
  return middle
}
