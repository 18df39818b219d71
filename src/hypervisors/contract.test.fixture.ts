import type { Test } from 'tap'
import { contractSteps } from './contract/steps.js'
import { type ContractSubject, never } from './contract/subject.js'

/** A driver on a host of the test's own. */
export type Subject = Omit<ContractSubject, 'signal' | 'lossMs' | 'end' | 'restart'> & {
  end(): Promise<void>
  restart?(): Promise<void>
}

const lossMs = 20_000

/** What every driver must do, whatever it drives: shown on a host of its own for each step. */
export function contract(t: Test, name: string, open: (t: Test) => Promise<Subject>): void {
  for (const { title, carryOut, whyNot } of contractSteps) {
    t.test(`${name}: ${title}`, async t => {
      const subject: ContractSubject = { ...(await open(t)), signal: never, lossMs }
      const why = whyNot?.(subject) ?? null
      if (why !== null) {
        t.comment(why)
        return
      }
      let held = 0
      await carryOut(subject, claim => {
        held += claim.held ? 1 : 0
        t.ok(claim.held, claim.of === undefined ? claim.what : `${claim.of}: ${claim.what}`)
      })
      t.ok(held > 0, 'something was looked at')
    })
  }
}
