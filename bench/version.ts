import { execa } from 'execa'

const rounds = 15

/** How long `guestcert --version` takes against starting Node with nothing to do. */
export async function benchVersion(print: (line: string) => void): Promise<void> {
  const nothing: number[] = []
  const version: number[] = []
  for (let round = 0; round < rounds; round += 1) {
    nothing.push(await timed(['-e', '0']))
    version.push(await timed(['dist/src/cli/main.js', '--version']))
  }
  const [base, ours] = [middle(nothing), middle(version)]
  print(`node -e 0                1.00 x  ${base.toFixed(0)} ms`)
  print(`guestcert --version      ${(ours / base).toFixed(2)} x  ${ours.toFixed(0)} ms`)
}

async function timed(words: readonly string[]): Promise<number> {
  const started = performance.now()
  await execa(process.execPath, words)
  return performance.now() - started
}

function middle(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
}
