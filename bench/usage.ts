import { writeFileSync } from 'node:fs'

// Loaded before a measured program: writes down what it has used when it ends.
process.on('exit', () => {
  const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage()
  const path = process.env.BENCH_USAGE
  if (path !== undefined) {
    writeFileSync(
      path,
      JSON.stringify({ cpuSec: (userCPUTime + systemCPUTime) / 1e6, rssMiB: maxRSS / 1024 }),
    )
  }
})
