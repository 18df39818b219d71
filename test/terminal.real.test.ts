/** A run in a real terminal: what is shown while it goes on and at its end. Needs Debian's tmux. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { execa } from 'execa'
import stringWidth from 'string-width'
import t from 'tap'
import { guestcertProcess } from './cli-process.js'

t.setTimeout(600_000)
const rows = 24
const folder = t.testdir({
  'lab.yaml': `lab: shown
hosts: { here: { product: rhel-kvm, version: "9.6", driver: static, capacity: { guests: 2, vcpus: 4, memory: 4GiB } } }
guests:
  first: { product: debian, version: "12", arch: x86_64, emulated: debian-12, on: { here: { configuration: { vcpus: 1, memory: 1GiB } } } }
  second-guest-with-a-long-name: { product: debian, version: "12", arch: x86_64, emulated: debian-12, on: { here: { configuration: { vcpus: 1, memory: 1GiB } } } }
suites: [./tiny]
`,
  tiny: {
    'suite.yaml': `suite: tiny
version: 1.0.0
title: Tiny
tests:
  - { id: fails, title: Fails, requirements: [K-1], level: required, script: fails.sh, protocol: tap }
  - { id: lasts, title: Lasts, requirements: [K-2], level: required, script: lasts.sh, protocol: tap }
`,
    'fails.sh': `#!/bin/sh
echo 'mount: no such device' >&2
echo 1..1
echo 'not ok 1 - it is mounted'
echo '  ---'
echo '  got: nothing'
echo '  wanted: /dev/vdb'
echo '  ...'
exit 1
`,
    'lasts.sh': '#!/bin/sh\nsleep 8\necho 1..1\necho ok 1 - it lasts\n',
  },
})

/** A terminal of a size in which a command line runs; it stays open when that has ended. */
async function terminal(
  columns: number,
  command: string,
): Promise<{
  /** What is on the screen once it fits; `past` takes what has scrolled away, too. */
  shown(fits: (text: string) => boolean, past?: boolean): Promise<string>
  resize(columns: number): Promise<unknown>
  end(): Promise<unknown>
}> {
  const socket = join(await mkdtemp(join(tmpdir(), 'guestcert-tmux-')), 'socket')
  const tmux = (...args: readonly string[]) => execa('tmux', ['-S', socket, '-f', '/dev/null', ...args])
  const size = ['-x', String(columns), '-y', String(rows)]
  await tmux('new-session', '-d', ...size, `cd ${folder}; ${command}; echo "ended with $?"; exec cat`)
  return {
    shown: async (fits, past = false) => {
      for (;;) {
        const { stdout } = await tmux('capture-pane', '-p', ...(past ? ['-S', '-'] : []))
        if (fits(stdout)) return stdout
        if (stdout.includes('ended with')) throw new Error(`it ended, and shows:\n${stdout}`)
        await wait(100)
      }
    },
    resize: width => tmux('resize-window', '-x', String(width), '-y', String(rows)),
    end: async () => {
      await tmux('kill-server')
      await rm(join(socket, '..'), { recursive: true, force: true })
    },
  }
}

const program = guestcertProcess.map(word => `'${word}'`).join(' ')
const run = `env -u CI -u NO_COLOR LC_ALL=C.UTF-8 ${program} run lab.yaml`

for (const columns of [60, 200]) {
  t.test(`in ${columns} columns a run shows what it does, and at its end what came of it`, async t => {
    const screen = await terminal(columns, `${run} -o reports-${columns}`)
    t.teardown(() => screen.end())
    const middle = await screen.shown(text => /tiny\/lasts +[2-9]/.test(text) && text.includes('2 failed'))
    t.ok(middle.split('\n').every(line => stringWidth(line) <= columns))
    t.match(middle, /^here {2}2 of 2 guests, 2 of 4 vCPUs/m)
    t.match(middle, /^━+╌+ +4\/6 tests {2}2 passed, 2 failed/m)
    t.match(middle, /not ok - it is mounted/, 'a failure stands above as soon as it is final')
    await screen.resize(columns - 20)
    await screen.shown(text => /5|6\/6 tests|ended with/.test(text))
    await screen.resize(columns)

    await screen.shown(text => text.includes('ended with 1'))
    const all = await screen.shown(text => text.includes('ended with 1'), true)
    t.notMatch(all, /━|╌/, 'nothing of the window is left')
    t.equal(all.match(/^ {2}\d\) /gm)?.length, 3, 'two blocks, and one line of the summary for both')
    t.match(all, /standard error:\s+mount: no such device/)
    t.match(all.replace(/\s+/g, ' '), 'not ok: it is mounted: got nothing, expected /dev/vdb')
    t.match(all, /Exit {10}1: A required test failed\./)
    t.match(all, /Next {10}read/)
  })
}

t.test('a terminal that is dumb, or recorded by a CI system, gets lines and no window', async t => {
  const screen = await terminal(120, `env CI=1 ${run.replace('-u CI ', '')} -o reports-ci`)
  t.teardown(() => screen.end())
  await screen.shown(text => text.includes('ended with 1'))
  const all = await screen.shown(text => text.includes('ended with 1'), true)
  t.notMatch(all, /━|╌/)
  t.match(all, /^\d\d:\d\d:\d\d \d\/6 {2}✗ fail/m)
})
