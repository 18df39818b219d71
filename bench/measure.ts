import { readFile, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { execa } from 'execa'
import type { Servers } from './sshd.js'

const rounds = 3

/** What one way of doing the same work took. */
export interface Taken {
  readonly sec: number
  /** Of all its processes. */
  readonly cpuSec: number
  /** How long its main thread waited for a processor: on a quiet machine, nearly not at all. */
  readonly waitedSec: number
  readonly rssMiB: number
  /** Its memory every half second. */
  readonly samplesMiB?: readonly number[]
}

/** One way of doing the work. */
export type Way = () => Promise<Taken>

interface Measured extends Taken {
  /** What the servers used meanwhile. */
  readonly serverSec: number
}

/** What is compared. */
export interface Comparison {
  /** The first is the yardstick of the others. */
  readonly ways: Readonly<Record<string, Way>>
  readonly servers: Pick<Servers, 'cpuSec'>
  /** Tests that each way runs. */
  readonly tests: number
}

/** Does the work in each way, in turns, so that a busy moment of the machine falls on all; prints the medians. */
export async function compare(
  { ways, servers, tests }: Comparison,
  print: (line: string) => void,
): Promise<void> {
  const taken = new Map<string, Measured[]>(Object.keys(ways).map(name => [name, []]))
  for (let round = 0; round < rounds; round += 1) {
    for (const [name, way] of Object.entries(ways)) {
      const before = servers.cpuSec()
      const one = await way()
      taken.get(name)?.push({ ...one, serverSec: servers.cpuSec() - before })
    }
  }
  print(`${''.padEnd(24)}  wall      ratio  waited  CPU ms a test: here  servers  ratio   memory`)
  const [yardstick] = [...taken.values()].map(median)
  for (const [name, all] of taken) {
    print(`${name.padEnd(24)} ${row(median(all), yardstick ?? median(all), tests)}`)
  }
}

function row(
  { sec, cpuSec, serverSec, waitedSec, rssMiB }: Measured,
  yardstick: Measured,
  tests: number,
): string {
  const each = (all: number): string => ((all * 1000) / tests).toFixed(2).padStart(8)
  const cpuRatio = (cpuSec + serverSec) / (yardstick.cpuSec + yardstick.serverSec)
  const known = (value: number, text: string): string => (Number.isNaN(value) ? '' : text)
  return [
    `${sec.toFixed(2).padStart(6)} s`,
    `${(sec / yardstick.sec).toFixed(2).padStart(6)} x`,
    known(waitedSec, `${waitedSec.toFixed(2)} s`).padStart(7),
    `           ${each(cpuSec)} ${each(serverSec)}`,
    `${cpuRatio.toFixed(2).padStart(5)} x`,
    known(rssMiB, `${rssMiB.toFixed(0)} MiB`).padStart(8),
  ].join(' ')
}

function median(all: readonly Measured[]): Measured {
  const middle = [...all].sort((a, b) => a.sec - b.sec)[Math.floor(all.length / 2)]
  if (middle === undefined) {
    throw new RangeError('nothing was measured')
  }
  return middle
}

/** Runs a Node program, and measures it. */
export async function measureNode(folder: string, words: readonly string[]): Promise<Taken> {
  const usage = join(folder, 'usage.json')
  const started = performance.now()
  await execa(process.execPath, ['--import', resolve('dist/bench/usage.js'), ...words], {
    env: { BENCH_USAGE: usage },
  })
  const sec = (performance.now() - started) / 1000
  return { sec, ...(JSON.parse(await readFile(usage, 'utf8')) as Omit<Taken, 'sec'>) }
}

/** A loop of `ssh2` alone over the same servers. */
export interface BareLoop {
  readonly servers: Pick<Servers, 'addresses' | 'port' | 'user' | 'keyPath'>
  readonly folder: string
  readonly guests: number
  readonly parallel: number
  readonly commands: readonly string[]
  /** Whether Nagle's algorithm is off. */
  readonly isPrompt: boolean
}

/** The yardstick: see `bare.ts`. */
export function bare({ servers, folder, guests, ...task }: BareLoop): Way {
  return async () => {
    const { port, user, keyPath } = servers
    const addresses = servers.addresses.slice(0, guests)
    const path = join(folder, 'bare.json')
    await writeFile(path, JSON.stringify({ addresses, port, user, keyPath, ...task }))
    return measureNode(folder, ['dist/bench/bare.js', path])
  }
}

/** A whole run of a lab of {@link writeLab}; each guest is brought up, and that is a result too. */
export async function measureRun(lab: string, parallel: number, passes: number): Promise<Taken> {
  const output = join(lab, 'reports')
  const words = ['run', join(lab, 'lab.yaml'), '-o', output, '--parallel', String(parallel), '-q']
  const taken = await measureNode(lab, ['dist/src/cli/main.js', ...words])
  const summary = JSON.parse(await readFile(join(output, 'latest/summary.json'), 'utf8')) as {
    counts: { pass: number }
  }
  if (summary.counts.pass !== passes) {
    throw new Error(`only ${summary.counts.pass} tests passed: the measurement is void`)
  }
  return taken
}
