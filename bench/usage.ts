import { writeFileSync } from 'node:fs'
import { isMainThread } from 'node:worker_threads'
import { cpuSecOf, waitedSec } from './processes.js'

/** Of the main thread's process, over its life. */
const sampleMs = 500
const samplesMiB: number[] = []
if (process.env.BENCH_USAGE !== undefined && isMainThread) {
  setInterval(() => samplesMiB.push(process.memoryUsage.rss() / 2 ** 20), sampleMs).unref()
}

// Loaded before a measured program: writes down what it, and the programs that it started, have used when it ends.
process.on('exit', () => {
  const path = process.env.BENCH_USAGE
  if (path !== undefined && isMainThread) {
    const rssMiB = process.resourceUsage().maxRSS / 1024
    const usage = { cpuSec: cpuSecOf('self'), waitedSec: waitedSec(), rssMiB, samplesMiB }
    writeFileSync(path, JSON.stringify(usage))
  }
})
