import { windowsTest } from 'guestcert/api'

const lines = 2048

/** Every other test rests on this one: that commands run, and that what they say and how they end arrives unharmed. */
export default windowsTest(async ({ guest, expect, measure }) => {
  const greeting = await guest.run('ver')
  expect(greeting.succeeded).toBe(true, 'a command runs')
  measure('round-trip', greeting.durationMs)

  // A status that is always 0 would make tests pass that should not; 256 is 0 to a shell that keeps eight bits.
  for (const code of [1, 42, 256, 1603]) {
    const { end } = await guest.run(`exit ${code}`)
    // A status beyond eight bits may be unknown, never wrong.
    const wanted = code < 256 ? [{ kind: 'code', code }] : [{ kind: 'code', code }, { kind: 'lost' }]
    expect(end).toBeOneOf(wanted, `exit status ${code} arrives`)
  }

  const output = await guest.run('echo to-output')
  expect(output.stdout).toBe('to-output\n', 'standard output arrives, and nothing but it')
  const error = await guest.run('echo to-error>&2')
  expect(error.stderr).toMatch(/^to-error *$/m, 'standard error arrives')
  expect(error.stdout).toBe('', 'it does not arrive as standard output')

  const many = await guest.run(`for /l %i in (1,1,${lines}) do @echo 0123456789abcdef %i`)
  const wanted = Array.from({ length: lines }, (_, line) => `0123456789abcdef ${line + 1}\n`).join('')
  expect(many.truncated).toBe(false, 'longer output is kept')
  expect(many.stdout === wanted).toBe(true, 'longer output arrives whole and in order')

  const content = Buffer.from('quotes \' " ^ % & ü €\r\n\0\xff', 'latin1')
  const file = `${guest.folder}\\reachable.bin`
  await guest.writeBytes(file, content)
  expect(Buffer.from(await guest.readBytes(file)).equals(content)).toBe(true, 'a file goes there and back')
})
