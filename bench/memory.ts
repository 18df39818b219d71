import { join } from 'node:path'
import { writeLab } from './lab.js'
import { measureRun } from './measure.js'
import type { Servers } from './sshd.js'

const guests = 1000
const parallel = 20
const testsEach = 50
const mostMiB = 500

/** A large run in one runner: what memory it takes at most, and whether it still grows in its second half. */
export async function benchMemory(servers: Servers, print: (line: string) => void): Promise<void> {
  const lab = join(servers.folder, 'many')
  await writeLab({ folder: lab, servers, guests, testsEach, kind: 'parallel' })
  const taken = await measureRun(lab, parallel, guests * (testsEach + 1))
  const samples = taken.samplesMiB ?? []
  const quarters = [0, 1, 2, 3].map(quarter => {
    const part = samples.slice((samples.length * quarter) / 4, (samples.length * (quarter + 1)) / 4)
    return `${Math.max(...part).toFixed(0)} MiB`
  })
  const tests = guests * testsEach
  print(
    `${tests} tests in ${taken.sec.toFixed(0)} s, ${((taken.cpuSec * 1000) / tests).toFixed(2)} ms CPU each`,
  )
  print(`most memory in each quarter of the time: ${quarters.join(', ')}`)
  print(`at most ${taken.rssMiB.toFixed(0)} MiB, of ${mostMiB} MiB that it may take`)
}
