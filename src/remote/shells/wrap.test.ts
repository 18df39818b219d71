/** The frame of a command, run by every POSIX shell that is installed: any of them may be a guest's `/bin/sh`. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { endWord } from './frame.js'
import { wrap } from './wrap.js'

const shells: readonly (readonly [string, ...string[]])[] = [
  ['/bin/sh'],
  ['/bin/dash'],
  ['/bin/bash', '--posix'],
  ['/bin/bash'],
  ['/usr/bin/busybox', 'sh'],
  ['/usr/bin/ksh'],
  ['/usr/bin/mksh'],
  ['/usr/bin/zsh'],
]

interface Run {
  readonly output: string
  /** On our last line, if it came as the last. */
  readonly status: number | null
  /** As the shell that waited for it has it: 137 is SIGKILL. */
  readonly exit: number
}

/** Runs commands one after the other as a login shell would, with another shell in the place of `/bin/sh`. */
function runAll(shell: readonly string[], folder: string, given: readonly string[], input: string): Run[] {
  const wrapped = given.map(command => wrap(command, { MINE: "it's" }, { mark: 'lab/guest', sudo: null }))
  const script = wrapped.map(({ line }, index) => {
    const file = join(folder, `${index}`)
    return `(${line.replace('/bin/sh', shell.join(' '))}) <${folder}/in >${file} 2>/dev/null;echo $? >${file}.exit`
  })
  writeFileSync(join(folder, 'in'), input)
  const { error } = spawnSync('/bin/dash', [], { input: script.join('\n') })
  assert.equal(error, undefined)
  return wrapped.map(({ words }, index) => {
    const stdout = readFileSync(join(folder, `${index}`), 'latin1')
    const begin = new RegExp(`^${words.nonce} \\d+\\n`).exec(stdout)
    const end = new RegExp(`${endWord(words)} (\\d+)\\n$`).exec(stdout)
    assert.ok(begin, `${shell.join(' ')}: the first line of ${given[index]}`)
    const exit = Number(readFileSync(join(folder, `${index}.exit`), 'utf8'))
    const output = stdout.slice(begin[0].length, end?.index)
    return { output, status: end === null ? null : Number(end[1]), exit }
  })
}

const commands: readonly (readonly [string, string, output: string, status: number])[] = [
  ['a command', 'echo a', 'a\n', 0],
  ['no line end', 'printf a', 'a', 0],
  ['nothing', '', '', 0],
  ['an exit', 'echo a; exit 3; echo b', 'a\n', 3],
  ['an exec', "echo a; exec sh -c 'exit 4'", 'a\n', 4],
  ['a comment at the end', 'echo a # and no more', 'a\n', 0],
  ['a comment alone', '# nothing', '', 0],
  ['several lines', 'for i in 1 2\ndo\n  echo $i\ndone\nexit 5', '1\n2\n', 5],
  ['a here-document', "cat <<'E'\n$HOME\\\n\nE\n", '$HOME\\\n\n', 0],
  ['its input', 'cat; exit 6', 'in\nput', 6],
  ['no arguments and no variables of ours', 'echo "$#"; set | grep -c "^gc_"', '0\n0\n', 1],
  ['the usual separators', 'printf "%s" "$IFS" | tr -d "\\000" | tr " \\t\\n" "sln"\necho', 'sln\n', 0],
  ['its environment', 'sh -c \'echo "$MINE $TZ $GUESTCERT_MARK"\'', "it's UTC lab/guest\n", 0],
  ['a trap at its end', "trap 'echo bye' EXIT; exit 7", 'bye\n', 7],
  ['set -eu', 'set -eu; false; echo b', '', 1],
  ['a status of 255', 'exit 255', '', 255],
  ['a killed child', "sh -c 'kill -9 $$' || exit 9", '', 9],
]

const broken = 'echo a; if then'
const killedScript = "exec sh -c 'kill -9 $$'"
const killedFrame = 'echo a; kill -9 $$'

for (const shell of shells) {
  const missing = existsSync(shell[0]) ? {} : { skip: `${shell[0]} is not installed` }
  t.test(`the frame holds in ${shell.join(' ')}`, missing, async t => {
    const all = [...commands.map(([, command]) => command), broken, killedScript, killedFrame]
    const runs = runAll(shell, t.testdir(), all, 'in\nput')
    for (const [index, [what, , output, status]] of commands.entries()) {
      t.match(runs[index], { output, status, exit: status }, what)
    }
    const [ofBroken, ofScript, ofFrame] = runs.slice(commands.length)
    t.ok(
      ofBroken?.status === ofBroken?.exit && ofBroken?.exit !== 0,
      'a syntax error is a status of the command',
    )
    // The Korn shell of 1993 adds 256 to the number of a signal, and ends with 8 bits of that: no status is proven then.
    const is93 = ofScript?.status === 265
    t.match(ofScript, is93 ? { exit: 9 } : { status: 137, exit: 137 }, 'a killed script')
    t.match(ofFrame, { output: 'a\n', status: null, exit: 137 }, 'the frame itself is killed')
  })
}
