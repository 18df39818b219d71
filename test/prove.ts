import { execa } from 'execa'
import type { Test } from 'tap'
import { packageRoot } from '../src/config/package-root.js'
import { guestcertProcess } from './cli-process.js'

interface Finding {
  readonly test: string
  readonly persona: string
  readonly mutant?: string
  readonly holds: boolean
  readonly verdict: string
  readonly reason: string
}

interface Proof {
  readonly findings: readonly Finding[]
  readonly unproven: readonly string[]
}

/** How `guestcert prove` ended. */
export interface Proved {
  readonly code: number | undefined
  readonly stdout: string
}

/** Runs `guestcert prove`. */
export async function prove(args: readonly string[]): Promise<Proved> {
  const [program, ...first] = guestcertProcess
  const { exitCode, stdout } = await execa(program, [...first, 'prove', ...args], {
    cwd: packageRoot,
    reject: false,
    stdin: 'ignore',
    stderr: 'inherit',
  })
  return { code: exitCode, stdout }
}

/** Asserts that every claim holds and each test was seen to fail; returns what the claims speak of. */
export function provesEach(
  t: Pick<Test, 'same' | 'equal' | 'ok'>,
  { code, stdout }: Proved,
): { personas: readonly string[]; tests: readonly string[] } {
  const { findings, unproven } = JSON.parse(stdout) as Proof
  t.same(
    findings.filter(({ holds }) => !holds),
    [],
    'every claim holds',
  )
  t.same(unproven, [], 'no test is without a proof')
  t.equal(code, 0)
  const tests = [...new Set(findings.map(({ test }) => test))]
  for (const test of tests) {
    const own = findings.filter(finding => finding.test === test)
    t.ok(
      own.some(({ mutant, verdict }) => mutant !== undefined && verdict === 'fail'),
      `${test} was seen to fail`,
    )
  }
  return { personas: [...new Set(findings.map(({ persona }) => persona))], tests }
}
