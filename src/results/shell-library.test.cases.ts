import { join } from 'node:path'
import { execa } from 'execa'
import { packageRoot } from '../config/package-root.js'
import type { Folded } from './folded.js'
import { foldTap } from './tap.js'

/** What a script that uses `suites/lib/tap.sh` must fold to, in any shell. */
export interface ShellCase {
  readonly name: string
  readonly script: string
  readonly expected: object
}

const okAll = (count: number): object => ({
  verdict: 'pass',
  counts: { ok: count, notOk: 0, todo: 0, skip: 0 },
})
const notOkAll = (count: number): object => ({
  verdict: 'fail',
  counts: { ok: 0, notOk: count, todo: 0, skip: 0 },
})

export const shellCases: readonly ShellCase[] = [
  {
    name: 'every assertion that holds',
    script: `
      ok 'a plain one'
      is a a is
      isnt a b isnt
      one_of tsc 'kvm-clock tsc' one_of
      match 'Linux version 2.6.18' '^Linux version [0-9]' match
      unlike 'all is well' 'Oops|BUG' unlike
      at_least 10 10 at_least
      at_least 10 9 at_least
      at_least 007 7 'leading zeros'
      at_most 9 10 at_most
      within 5 5 7 within
      at_least 18446744073709551616 18446744073709551615 'more than 64 bits'
      at_least 4294967296 4294967295 'more than 32 bits'
      at_least 1000000000000000000 999999999999999999 'one digit more'
      holds 'a command' true
      done_testing`,
    expected: okAll(15),
  },
  {
    name: 'every assertion that does not hold',
    script: `
      not_ok 'a plain one'
      is a b is
      isnt a a isnt
      one_of ts 'kvm-clock tsc' 'a part of a word'
      one_of 'kvm-clock tsc' 'kvm-clock tsc' 'two words'
      one_of '' 'kvm-clock tsc' nothing
      match 'Linux' '^linux' match
      unlike 'an Oops' 'Oops|BUG' unlike
      unlike 'anything' 'x(' 'a broken expression'
      at_least 9 10 at_least
      at_least '' 0 'nothing is not a number'
      at_least -1 0 'no negative number'
      at_least 1.5 1 'no fraction'
      at_least 'a b' 1 'no words'
      at_most 10 9 at_most
      at_most '' 9 'nothing at most'
      within 4 5 7 below
      within 8 5 7 above
      at_most 18446744073709551616 18446744073709551615 'more than 64 bits'
      at_most 4294967296 4294967295 'more than 32 bits'
      holds 'a command' false
      holds 'no command' /nonexistent/command
      done_testing`,
    expected: notOkAll(22),
  },
  {
    name: 'what commands print is not a check',
    script: `
      echo 'not ok 1 - from a log'
      printf 'ok 1\\nok 2\\n1..2\\n'
      ok 'the only one'
      done_testing`,
    expected: okAll(1),
  },
  {
    name: 'texts cannot be directives, escapes, subtests or lines',
    script: `
      ok 'a # SKIP b'
      ok 'a # TODO b'
      ok 'a \\ b \\# SKIP'
      ok 'a {'
      ok 'a
not ok 9 - b'
      ok "a$(printf '\\r\\033[31m\\t')b"
      ok ''
      ok '7 dwarfs'
      ok '- dash'
      done_testing`,
    expected: {
      ...okAll(9),
      checks: [
        { text: 'a # SKIP b' },
        { text: 'a # TODO b' },
        { text: 'a \\ b \\# SKIP' },
        { text: 'a {;' },
        { text: 'a not ok 9 - b' },
        { text: /^a {2}\[31m b$/ },
        { text: '' },
        { text: '7 dwarfs' },
        { text: /dash/ },
      ],
    },
  },
  {
    name: 'values in diagnostics are data',
    script: `
      is "it's" "two
lines
  ...
ok 9" 'lines'
      done_testing`,
    expected: {
      verdict: 'fail',
      checks: [{ text: 'lines', diagnostics: "got: 'it''s'\nwanted: |2\n  two\n  lines\n    ...\n  ok 9" }],
    },
  },
  {
    name: 'facts and measures, and comments that only look so',
    script: `
      fact release 'RHEL 5.11 # Tikanga'
      measure drift -1.5 ppm
      diag 'measure: forged=1 s
fact: forged=1'
      ok one
      done_testing`,
    expected: {
      verdict: 'pass',
      facts: { release: 'RHEL 5.11 # Tikanga', forged: undefined },
      measures: { drift: { value: -1.5, unit: 'ppm' }, forged: undefined },
    },
  },
  {
    name: 'a failed check makes the status 1, and nothing follows done_testing',
    script: `not_ok one
      done_testing
      ok two`,
    expected: { verdict: 'fail', counts: { ok: 0, notOk: 1 } },
  },
  { name: 'a script that just ends', script: 'ok one', expected: { verdict: 'error', reason: /no plan/ } },
  {
    name: 'a script that exits',
    script: 'ok one\nexit 0',
    expected: { verdict: 'error', reason: /no plan/ },
  },
  {
    name: 'a script that breaks',
    script: 'ok one\n. /nonexistent/file\ndone_testing',
    expected: { verdict: 'error', cause: 'test' },
  },
  {
    name: 'a script that is killed',
    script: 'ok one\nkill -9 $$\ndone_testing',
    expected: { verdict: 'error', cause: 'unknown' },
  },
  { name: 'no check', script: 'done_testing', expected: { verdict: 'error' } },
  {
    name: 'skip_all',
    script: 'skip_all "no disk #1"\nok one',
    expected: { verdict: 'skip', reason: 'no disk #1' },
  },
  {
    name: 'skip_all after a check is an error',
    script: 'ok one\nskip_all "no disk"',
    expected: { verdict: 'error' },
  },
  {
    name: 'skip does not count as held',
    script: 'skip "no card" "a card"\ndone_testing',
    expected: { verdict: 'skip', reason: 'no card', counts: { ok: 0, skip: 1 } },
  },
  {
    name: 'bail_out',
    script: 'ok one\nbail_out "the disk is full"',
    expected: { verdict: 'error', reason: /the disk is full/ },
  },
  {
    name: 'bounded ends what takes too long, and only that',
    script: `
      bounded 1 sleep 60
      is $? 124 'too long'
      bounded 60 true
      is $? 0 'in time'
      bounded 60 sh -c 'exit 9'
      is $? 9 'the status is kept'
      done_testing`,
    expected: okAll(3),
  },
  {
    name: 'bounded works where there is no timeout',
    script: `
      timeout() { return 127; }
      bounded 1 sleep 60
      is $? 124 'too long'
      bounded 60 true
      is $? 0 'in time'
      bounded 60 sh -c 'exit 9'
      is $? 9 'the status is kept'
      done_testing`,
    expected: okAll(3),
  },
]

/** Checks that assert nothing, as an unset variable makes them: each must end the script with a bail-out. */
const emptyChecks: readonly string[] = [
  'ok',
  'ok $UNSET',
  'ok $WORDS',
  'not_ok',
  'is',
  'is a',
  'is $UNSET a text',
  'is a a',
  'is $WORDS two text',
  'isnt a b',
  'isnt $UNSET b text',
  'one_of tsc "$UNSET" text',
  "one_of tsc ' ' text",
  'one_of tsc $UNSET text',
  'one_of tsc',
  'match "Linux" "$UNSET" text',
  'match "Linux" $UNSET text',
  'match "Linux"',
  'match "Linux" "$UNSET|$UNSET" text',
  "match 'Linux' '.*' text",
  "match 'Linux' '(x|)' text",
  "match 'Linux' 'x{0,1}' text",
  'unlike "all is well" "$UNSET" text',
  'unlike "all is well" $UNSET text',
  "unlike 'all is well' 'Oops|' text",
  'at_least 10 "$UNSET" text',
  'at_least 10 $UNSET text',
  'at_least 10 ten text',
  'at_most 10 "$UNSET" text',
  'at_most 10',
  'within 5 1 "$UNSET" text',
  'within 5 "$UNSET" 9 text',
  'within 5 1 $UNSET text',
  'within 5 7 3 text',
  'holds "the service runs" $UNSET',
  'holds "the service runs" "$UNSET"',
  'holds "the service runs" "$UNSET" --now',
  'holds',
  'skip "no card"',
  'skip $UNSET "a card"',
  'fact release',
  'measure drift 1',
  'measure drift $UNSET ppm',
  'bounded 5',
  'bounded 5 $UNSET',
  'bounded 5 "$UNSET"',
  'bounded "$UNSET" true',
  'bounded soon true',
]

export const emptyCheckCases: readonly ShellCase[] = emptyChecks.map(check => ({
  name: `nothing is asserted: ${check}`,
  script: `WORDS='one two'\nok first\n${check}\ndone_testing`,
  expected: { verdict: 'error', cause: 'unknown', reason: /bailed out: \S/, counts: { ok: 1, notOk: 0 } },
}))

/** Runs a script's text, with the library before it, and folds what it said. */
export function runScript(shell: readonly string[], script: string): Promise<Folded> {
  return runShell([...shell, '-c', `. "$GUESTCERT/tap.sh"\n${script}`], {})
}

/** Runs a shell as the engine runs a script on a guest, and folds what it said. */
export async function runShell(
  [file = '/bin/sh', ...words]: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<Folded> {
  const result = await execa(file, words, {
    env: { GUESTCERT: join(packageRoot, 'suites/lib'), ...env },
    reject: false,
    stripFinalNewline: false,
    timeout: 60_000,
  })
  const { exitCode, signal, stdout, timedOut } = result
  if (timedOut) throw new Error(`${file} took too long`)
  return foldTap({
    stdout,
    truncated: false,
    exit:
      exitCode !== undefined
        ? { kind: 'code', code: exitCode }
        : signal !== undefined
          ? { kind: 'signal', signal }
          : { kind: 'lost' },
  })
}
