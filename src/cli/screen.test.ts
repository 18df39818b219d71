import { install } from '@sinonjs/fake-timers'
import xterm from '@xterm/headless'
import t, { type Test } from 'tap'
import { Screen, type Terminal } from './screen.js'

/** Remembers what is drawn on it, and shows it on a terminal emulator once the timers are real again. */
class TestTerminal implements Terminal {
  columns: number
  readonly rows: number
  readonly #first: number
  readonly #drawn: (string | number)[] = []

  constructor(columns: number, rows: number) {
    this.columns = columns
    this.rows = rows
    this.#first = columns
  }

  get writes(): number {
    return this.#drawn.length
  }

  write(text: string): void {
    this.#drawn.push(text)
  }

  resize(columns: number): void {
    this.columns = columns
    this.#drawn.push(columns)
  }

  /** What is on the screen and above it, without blank lines at the end. */
  async lines(): Promise<readonly string[]> {
    const emulator = new xterm.Terminal({
      cols: this.#first,
      rows: this.rows,
      allowProposedApi: true,
      convertEol: true,
    })
    for (const drawn of this.#drawn) {
      if (typeof drawn === 'string') await new Promise<void>(resolve => emulator.write(drawn, resolve))
      else emulator.resize(drawn, this.rows)
    }
    const { active } = emulator.buffer
    const lines = Array.from(
      { length: active.length },
      (_, row) => active.getLine(row)?.translateToString(true) ?? '',
    )
    while (lines.at(-1) === '') lines.pop()
    return lines
  }
}

/** Timers that the test moves; the emulator keeps the real ones. */
function frozen(t: Test): ReturnType<typeof install> {
  const clock = install({
    toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'performance'],
  })
  t.teardown(() => clock.uninstall())
  return clock
}

for (const columns of [60, 200]) {
  t.test(`what is written stands above the window, in order, on ${columns} columns`, async t => {
    const clock = frozen(t)
    const terminal = new TestTerminal(columns, 10)
    const screen = new Screen(terminal)
    screen.write(terminal, 'before\n')
    let count = 0
    screen.open(() => ['', `count ${count}`])
    clock.tick(100)
    for (count = 1; count < 30; count += 1) {
      screen.write(terminal, `line ${count}\n`)
      clock.tick(100)
    }
    screen.touch()
    clock.tick(100)
    clock.uninstall()
    const log = Array.from({ length: 29 }, (_, index) => `line ${index + 1}`)
    t.same(await terminal.lines(), ['before', ...log, '', 'count 30'])
    screen.close()
    t.same(await terminal.lines(), ['before', ...log], 'nothing is left of it')
    screen.write(terminal, 'after\n')
    t.same((await terminal.lines()).at(-1), 'after')
  })
}

t.test('it redraws at most ten times a second, and not at all when nothing has changed', async t => {
  const clock = frozen(t)
  const terminal = new TestTerminal(80, 24)
  const screen = new Screen(terminal)
  let value = 0
  screen.open(() => [`value ${value}`])
  for (let ms = 0; ms < 2000; ms += 1) {
    value += 1
    screen.touch()
    clock.tick(1)
  }
  t.ok(terminal.writes >= 15 && terminal.writes <= 21, `${terminal.writes} in two seconds`)
  clock.tick(200)
  const before = terminal.writes
  clock.tick(10_000)
  t.equal(terminal.writes, before)
  screen.close()
})

t.test('a terminal that becomes narrower or wider keeps no remains of the window', async t => {
  const clock = frozen(t)
  const terminal = new TestTerminal(100, 12)
  const screen = new Screen(terminal)
  screen.open(({ columns }) => ['-'.repeat(columns - 1), 'x'.repeat(columns - 1)])
  clock.tick(100)
  screen.write(terminal, 'one\n')
  clock.tick(100)
  for (const columns of [60, 40, 90]) {
    terminal.resize(columns)
    screen.write(terminal, `at ${columns}\n`)
    clock.tick(100)
  }
  screen.write(terminal, 'two\n')
  clock.tick(100)
  screen.close()
  clock.uninstall()
  t.same(await terminal.lines(), ['one', 'at 60', 'at 40', 'at 90', 'two'])
})

t.test(
  'standard error on the same terminal stands above it, too, and without a window all goes straight on',
  async t => {
    const clock = frozen(t)
    const terminal = new TestTerminal(80, 24)
    const errors: Terminal = { write: text => terminal.write(text) }
    const screen = new Screen(terminal)
    screen.write(errors, 'no line end')
    screen.write(terminal, '\n')
    screen.open(() => ['window'])
    clock.tick(100)
    screen.write(errors, 'guestcert: a warning\n')
    screen.write(terminal, 'a result\n')
    clock.tick(100)
    clock.uninstall()
    t.same(await terminal.lines(), ['no line end', 'guestcert: a warning', 'a result', 'window'])
    screen.close()
  },
)
