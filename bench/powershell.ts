import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { packageRoot } from '../src/config/package-root.js'
import { pwsh, pwshRunner, pwshVersion } from '../src/remote/shells/windows/pwsh.test.fixture.js'
import { PowerShellService, type ServiceRequest } from '../src/remote/shells/windows/service.js'

const modules = join(packageRoot, 'fixtures/powershell/modules')
const limitMs = 600_000
const rounds = 5
const rows = 800
/** What 800 rows of 4 values may take at most. */
const mostSec = 1.5
const requests = 10_000
const atOnce = 20

/** What a Windows guest's PowerShell has to do, in a real PowerShell of this machine. */
export async function benchPowerShell(print: (line: string) => void): Promise<void> {
  if (pwsh === null) {
    print('not run: it needs pwsh (dotnet tool install --global PowerShell --version 7.6.9)')
    return
  }
  let pid = 0
  const run = pwshRunner(modules, child => {
    pid = child.pid ?? 0
  })
  const service = await PowerShellService.start('guest', run, limitMs)
  try {
    const seconds: number[] = []
    for (let round = 0; round <= rounds; round += 1) {
      seconds.push(
        await timed(service, ['wmi', 'root\\cimv2', 'ProcessId,Name,CommandLine,Handle', `Rows${rows}`]),
      )
    }
    // The first one also reads the module.
    const [first = 0, ...others] = seconds
    const middle = others.sort((a, b) => a - b)[Math.floor(rounds / 2)] ?? Number.NaN
    print(
      `${pwshVersion()}: ${rows} rows of 4 values ${middle.toFixed(2)} s, the first time ${first.toFixed(2)} s (at most ${mostSec} s)`,
    )
    await ask(service, requests / 10)
    const before = residentMiB(pid)
    const started = performance.now()
    await ask(service, requests)
    const perSec = requests / ((performance.now() - started) / 1000)
    const after = residentMiB(pid)
    const grown = ((after - before) / requests) * 1024
    print(
      `${requests} requests ${perSec.toFixed(0)} a second; memory ${before.toFixed(0)} MiB before, ${after.toFixed(0)} MiB after: ${grown.toFixed(2)} KiB a request`,
    )
  } finally {
    service.end()
  }
}

async function timed(service: PowerShellService, request: ServiceRequest): Promise<number> {
  const started = performance.now()
  const answer = await service.ask(request, { limitMs })
  if (answer.rows.length !== rows) {
    throw new Error(`${answer.rows.length} rows came in place of ${rows}`)
  }
  return (performance.now() - started) / 1000
}

async function ask(service: PowerShellService, count: number): Promise<void> {
  for (let at = 0; at < count; at += atOnce) {
    await Promise.all(Array.from({ length: atOnce }, () => service.ask(['now'], { limitMs })))
  }
}

/** Resident memory of a process and those that it started: a .NET tool may start the program proper. */
function residentMiB(pid: number): number {
  if (!existsSync(`/proc/${pid}/status`)) {
    return Number.NaN
  }
  const own = Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean)
  return children.reduce((sum, child) => sum + residentMiB(Number(child)), own)
}
