import { writeFileSync } from 'node:fs'
import { isMainThread } from 'node:worker_threads'
import { cpuSecOf, waitedSec } from './processes.js'

// Loaded before a measured program: writes down what it, and the programs that it started, have used when it ends.
process.on('exit', () => {
  const path = process.env.BENCH_USAGE
  if (path !== undefined && isMainThread) {
    const rssMiB = process.resourceUsage().maxRSS / 1024
    writeFileSync(path, JSON.stringify({ cpuSec: cpuSecOf('self'), waitedSec: waitedSec(), rssMiB }))
  }
})
