import { join } from 'node:path'
import { execa } from 'execa'
import t from 'tap'
import { packageRoot } from '../src/config/package-root.js'

// In a process of its own: the simulator replaces timers and clocks.
const simulator = join(packageRoot, 'dist/test/simulation/main.js')

async function simulate(...args: readonly string[]): Promise<{ code: number | undefined; stdout: string }> {
  const { exitCode, stdout } = await execa(process.execPath, [simulator, ...args], { reject: false })
  return { code: exitCode, stdout }
}

t.test('simulated runs keep the laws, whatever goes wrong in them', async t => {
  const { code, stdout } = await simulate('--runs', '400')
  t.equal(code, 0, stdout)
  // A trouble that never came would prove nothing.
  for (const kind of [
    'crash',
    'cut',
    'dead host',
    'hang',
    'lease taken over',
    'lost',
    'moved',
    'never answers',
    'not-begun',
    'prepare half',
    'prepare hangs',
    'prepare ignores',
    'reboot',
    'refused',
    'remove fails',
    'remove hangs',
    'restarted',
    'runner died',
    'side by side',
    'silence',
    'start half',
    'stop hangs',
    'truncated',
    'undrained',
    'unproven',
    'unusable',
    'vanish',
  ]) {
    t.match(stdout, new RegExp(`\\b${kind} \\d+`), kind)
  }
})

t.test('a seed gives the same events at the same times, alone and among others', async t => {
  const eventsOf = (stdout: string): string[] => stdout.split('\n').filter(line => line.startsWith('{'))
  const alone = await simulate('--from', '29', '--runs', '1', '--show')
  const again = await simulate('--from', '29', '--runs', '1', '--show')
  const among = await simulate('--from', '28', '--runs', '3', '--show')
  const events = eventsOf(alone.stdout)
  t.ok(events.length > 20)
  t.same(eventsOf(again.stdout), events)
  const begins = eventsOf(among.stdout).flatMap((line, at) => (/"seq":1,/.test(line) ? [at] : []))
  t.same(eventsOf(among.stdout).slice(begins[1], begins[2]), events)
})

// Runs that violated a law once, and what was wrong.
const found = [
  { seed: 96, what: 'a guest that answered and refused the log-in was blamed for a lost connection' },
  { seed: 398, what: 'the same, of a guest whose connection was lost in mid-test' },
  { seed: 77, what: 'an environment that had ended was open again once its orphan was removed' },
  {
    seed: 2151,
    what: 'what was blocked kept a later session from the bring-up that its runner had died over',
  },
  {
    seed: 164,
    what: 'an error was taken back as blocked by a later session, and its environment never ended',
  },
  {
    seed: 5_012_376,
    what: 'a guest was blamed for a connection that was cut again just after it had been made anew',
  },
]
for (const { seed, what } of found) {
  t.test(`seed ${seed}: ${what}`, async t => {
    const { code, stdout } = await simulate('--from', String(seed), '--runs', '1')
    t.equal(code, 0, stdout)
  })
}
