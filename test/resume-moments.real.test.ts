/** A run that is killed at twenty moments, and resumed after each. */
import { join } from 'node:path'
import t from 'tap'
import { guestcert } from './cli-io.js'
import { killedRun, outcomeIn, resumableLab } from './resume-lab.js'

t.setTimeout(1_800_000)

const moments = 20

t.test('killed at twenty moments and resumed after each, a run comes to the same verdicts', async t => {
  const whole = t.testdir(resumableLab)
  t.equal((await guestcert(['run', 'lab.yaml'], { cwd: whole })).code, 1)
  const expected = await outcomeIn(join(whole, 'reports/latest'))
  const last = expected.events.length - 1
  for (let moment = 1; moment <= moments; moment += 1) {
    // The first events come before there is a guest; at the last, only the end of the run is missing.
    const events = Math.round(2 + ((last - 2) * (moment - 1)) / (moments - 1))
    const cwd = t.testdir(resumableLab)
    await killedRun(cwd, ['run', 'lab.yaml'], events)
    const { code, stderr } = await guestcert(['resume', 'latest'], { cwd })
    t.equal(code, expected.exitCode, `killed after ${events} events: ${stderr}`)
    const found = await outcomeIn(join(cwd, 'reports/latest'))
    t.same(found.verdicts, expected.verdicts, `after ${events} of ${last + 1} events`)
    t.same([found.counts, found.flaky], [expected.counts, expected.flaky])
  }
})

t.test('killed ten times in one run, each session a little further, it still comes to the same', async t => {
  const whole = t.testdir(resumableLab)
  t.equal((await guestcert(['run', 'lab.yaml'], { cwd: whole })).code, 1)
  const expected = await outcomeIn(join(whole, 'reports/latest'))
  const cwd = t.testdir(resumableLab)
  await killedRun(cwd, ['run', 'lab.yaml'], 12)
  for (let session = 2; session <= 10; session += 1) {
    await killedRun(cwd, ['resume', 'latest'], 10 + session)
  }
  t.equal((await guestcert(['resume', 'latest'], { cwd })).code, expected.exitCode)
  const found = await outcomeIn(join(cwd, 'reports/latest'))
  t.same(found.verdicts, expected.verdicts)
  t.same([found.counts, found.flaky], [expected.counts, expected.flaky])
})
