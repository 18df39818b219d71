/** `guestcert resume`: a further session of a run whose runner died. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir, readFile, realpath, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { guestcert } from './cli-io.js'
import { guestcertProcess } from './cli-process.js'
import { eventsIn, killedRun, outcomeIn, resumableLab } from './resume-lab.js'

t.setTimeout(240_000)

t.test('a run that is killed and resumed comes to the verdicts of one that is not', async t => {
  const whole = t.testdir(resumableLab)
  t.equal((await guestcert(['run', 'lab.yaml'], { cwd: whole })).code, 1)
  const expected = await outcomeIn(join(whole, 'reports/latest'))
  t.match(expected.counts, { pass: 8, fail: 2, skip: 2, error: 2, blocked: 2, 'not-run': 0 })

  for (const moment of [44]) {
    await t.test(`killed after ${moment} events, and again`, async t => {
      const cwd = t.testdir(resumableLab)
      const told = await killedRun(cwd, ['run', 'lab.yaml'], moment)
      t.ok(told >= moment && told < expected.events.length, `${told} events were told`)
      await killedRun(cwd, ['resume', 'latest'], 9)
      const { code, stderr } = await guestcert(['resume', 'latest'], { cwd })
      t.equal(code, expected.exitCode, stderr)
      const found = await outcomeIn(join(cwd, 'reports/latest'))
      t.same(found.verdicts, expected.verdicts)
      t.same(found.counts, expected.counts)
      t.equal(found.flaky, 0, 'a runner that dies makes no test flaky')
      const decided = found.events.flatMap(event =>
        event.type === 'test-ended' &&
        ['pass', 'fail', 'skip'].includes(event.verdict) &&
        event.test !== 'guestcert/boot'
          ? [`${event.environment} ${event.test}`]
          : [],
      )
      t.equal(new Set(decided).size, decided.length, 'what was decided is not run again')
      const begun = found.events.flatMap(event => (event.type === 'instance-started' ? [event.instance] : []))
      const ended = found.events.flatMap(event => (event.type === 'instance-ended' ? [event.instance] : []))
      t.same([...new Set(begun)].sort(), [...ended].sort(), 'every instance has one end')
      t.match(found.events.at(-1), { type: 'run-closed', epoch: 3, interrupted: false })
      t.equal((await guestcert(['report', 'latest'], { cwd })).code, expected.exitCode)
    })
  }
})

/** A lab whose second guest never answers to one of its tests; sessions say every 200 ms that they live. */
const hangingLab = {
  ...resumableLab,
  'lab.yaml': resumableLab['lab.yaml']
    .replace('undo: 10s', 'undo: 10s, heartbeat: 200ms, test: 1h')
    .replace(
      'emulated: debian-12, on: { here: { configuration: {} } } }\nsuites',
      'emulated: debian-12, faults: { hang: { command: fails.sh } }, on: { here: { configuration: {} } } }\nsuites',
    ),
}

interface Session {
  readonly process: ChildProcess
  /** Resolves when something like this was told. */
  told(what: RegExp): Promise<void>
  /** Resolves to its exit code, and to what it wrote to standard error. */
  readonly ended: Promise<{ readonly code: number | null; readonly stderr: string }>
}

function session(cwd: string, ...argv: string[]): Session {
  const [program, ...args] = guestcertProcess
  const child = spawn(program, [...args, ...argv, '--reporter', 'json'], {
    cwd,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let [stdout, stderr] = ['', '']
  child.stdout.on('data', chunk => {
    stdout += String(chunk)
  })
  child.stderr.on('data', chunk => {
    stderr += String(chunk)
  })
  const ended = once(child, 'close').then(([code]) => ({ code: code as number | null, stderr }))
  return {
    process: child,
    ended,
    told: async what => {
      while (!what.test(stdout)) {
        await Promise.race([once(child.stdout, 'data'), ended])
        if (child.exitCode !== null && !what.test(stdout)) throw new Error(`it ended: ${stderr}`)
      }
    },
  }
}

t.test('while a session lives another is refused, and one that was overtaken stops by itself', async t => {
  const cwd = t.testdir(hangingLab)
  const first = session(cwd, 'run', 'lab.yaml')
  await first.told(/"test-started".*"two@[^}]*"own\/fails"/)
  t.match(await guestcert(['resume', 'latest'], { cwd }), {
    code: 2,
    stderr: new RegExp(`guestcert: a session of this run lives, on \\S+, process ${first.process.pid}\\n$`),
  })
  // As on another machine, where no process can be asked for: it shows no sign of life.
  first.process.kill('SIGSTOP')
  const run = await realpath(join(cwd, 'reports/latest'))
  const claim = join(run, 'sessions/1.json')
  await writeFile(claim, (await readFile(claim, 'utf8')).replace(/"bootId":"[^"]*"/, '"bootId":"elsewhere"'))
  const second = session(cwd, 'resume', 'latest')
  await second.told(/"test-started".*"two@[^}]*"own\/fails"/)
  first.process.kill('SIGCONT')
  const overtaken = await first.ended
  t.equal(overtaken.code, 4)
  t.match(overtaken.stderr, /another session .*has taken this/)
  t.notOk(
    (await readdir(run)).includes('summary.json'),
    'it writes no reports into a run that is not its own',
  )
  t.same((await readdir(join(run, 'sessions'))).sort(), ['1.json', '2.json'])
  second.process.kill('SIGINT')
  second.process.kill('SIGKILL')
  await second.ended
  const events = await eventsIn(run)
  t.ok(
    events.every(({ epoch }, at) => epoch >= (events[at - 1]?.epoch ?? 0)),
    'nothing of the first is behind the second',
  )
})

t.test('a run whose lab or suites have changed is not resumed, with one clear line', async t => {
  const cwd = t.testdir(resumableLab)
  await killedRun(cwd, ['run', 'lab.yaml'], 9)
  const suite = await readFile(join(cwd, 'own/suite.yaml'), 'utf8')
  const lab = await readFile(join(cwd, 'lab.yaml'), 'utf8')
  const refused = async (line: RegExp): Promise<void> => {
    const { code, stderr } = await guestcert(['resume', 'latest'], { cwd })
    t.equal(code, 2)
    t.match(stderr, line)
    t.equal(stderr.trimEnd().split('\n').length, 1)
  }
  await writeFile(join(cwd, 'own/holds.sh'), '#!/bin/sh\nexit 3\n')
  await refused(
    /^guestcert: the run cannot be resumed: the suite "own" has changed: it was 1\.0\.0 with the digest \w{12}, and is 1\.0\.0 with \w{12}\n$/,
  )
  await writeFile(join(cwd, 'own/holds.sh'), resumableLab.own['holds.sh'])
  await writeFile(join(cwd, 'own/suite.yaml'), suite.replace('suite: own', 'suite: other'))
  await refused(/: the suite "own" is not there any more\n$/)
  await writeFile(join(cwd, 'own/suite.yaml'), suite)
  await writeFile(
    join(cwd, 'lab.yaml'),
    lab.replace('  one: { product: debian, version: "12"', '  one: { product: debian, version: "13"'),
  )
  await refused(/: the lab or the program has changed: one@rhel-kvm-9\.6\/default would be planned otherwise/)
  await writeFile(join(cwd, 'lab.yaml'), lab.replace('lab: resumable', 'lab: other'))
  await refused(/: it is of the lab "resumable", not "other"\n$/)
  await writeFile(join(cwd, 'lab.yaml'), lab.replace('  one:', '  uno:'))
  await refused(/: the lab has no guest "one" any more\n$/)
  await writeFile(join(cwd, 'lab.yaml'), lab)
  t.match(await guestcert(['resume', 'latest'], { cwd }), { code: 1 })
})
