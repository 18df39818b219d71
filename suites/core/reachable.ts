import { test } from 'guestcert/api'

/** Every other test rests on this one: that commands run, and that what they say and how they end arrives unharmed. */
export default test(async ({ guest, expect, measure }) => {
  const greeting = await guest.run('true')
  expect(greeting.succeeded).toBe(true, 'a command runs')
  measure('round-trip', greeting.durationMs)

  // A status that is always 0 would make all tests of protocol "exit" pass.
  for (const code of [1, 42, 255]) {
    const { end } = await guest.run(`exit ${code}`)
    expect(end).toEqual({ kind: 'code', code }, `exit status ${code} arrives`)
  }

  const { stdout, stderr } = await guest.run('echo to-output; echo to-error >&2')
  expect(stdout).toBe('to-output\n', 'standard output arrives, and nothing but it')
  // A guest may add its own words there: of a login, of a locale.
  expect(stderr).toMatch(/^to-error$/m, 'standard error arrives')

  const text = 'quotes \' " \\ $HOME `id` # ü €\n'
  const echoed = await guest.run('cat', { stdin: text })
  expect(echoed.stdout).toBe(text, 'standard input arrives, byte for byte')

  // 2,048 lines of 32 bytes: more than one packet and more than one window of a small buffer.
  const many = await guest.run(
    'line=0; while [ "$line" -lt 2048 ]; do printf "%031d\\n" "$line"; line=$((line + 1)); done',
  )
  const wanted = Array.from({ length: 2048 }, (_, line) => `${String(line).padStart(31, '0')}\n`).join('')
  expect(many.truncated).toBe(false, 'longer output is kept')
  expect(many.stdout === wanted).toBe(true, 'longer output arrives whole and in order')
})
