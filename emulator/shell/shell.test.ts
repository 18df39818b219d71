import fc from 'fast-check'
import t from 'tap'
import { bootForTest, runScript } from '../harness.test.helper.js'

const system = bootForTest('ubuntu-24.04')

/** What a script prints in dash, as the persona's /bin/sh. */
const cases: readonly (readonly [name: string, script: string, stdout: string, status?: number])[] = [
  ['words keep their fields', `set -- a 'b c' d; for x in "$@"; do echo "[$x]"; done`, '[a]\n[b c]\n[d]\n'],
  ['IFS divides', 'IFS=:; x=a::b:; set -- $x; echo $# $1$3', '3 ab\n'],
  [
    'parameters are cut',
    `p=/a/b.tar.gz; echo \${p##*/} \${p%.*} \${p%%.*} \${#p} \${q:-d}`,
    'b.tar.gz /a/b.tar /a/b 11 d\n',
  ],
  [
    'arithmetic has 64 bits',
    'echo $((9223372036854775807)) $((1795400000000000001-1)) $((7/-2)) $((010+0x10))',
    '9223372036854775807 1795400000000000000 -3 24\n',
  ],
  ['a division by zero ends the shell', 'echo $((1/0)); echo no', '', 2],
  ['substitutions lose their last newlines', 'x=$(printf "a\\n\\n"); echo "[$x]"', '[a]\n'],
  [
    'descriptor 3 can carry the protocol',
    'exec 3>&1 1>&2; x=$(echo sub); echo hidden; echo "tap $x" >&3; echo p | cat >&3',
    'tap sub\np\n',
  ],
  ['here-documents expand unless quoted', `x=1; cat <<E\n$x \\$x\nE\ncat <<'E'\n$x\nE`, '1 $x\n$x\n'],
  ['noclobber keeps files', 'set -C; echo a > f; (echo b > f) 2>/dev/null || cat f; rm f', 'a\n'],
  ['a trap runs at the end and keeps the status', 'trap "echo bye" EXIT; exit 3', 'bye\n', 3],
  ['a trap catches a signal', 'trap "echo caught" TERM; kill -TERM $$; echo on', 'caught\non\n'],
  ['a signal without a trap ends the shell', 'kill -TERM $$; echo no', '', 143],
  [
    'the shell tells its own id',
    '[ $$ = $(exec sh -c "echo \\$PPID") ] || echo other; sh -c "echo \\$\\$" | grep -c .',
    '1\n',
  ],
  [
    'background jobs are waited for',
    '(sleep 0.05; exit 4) & wait $!; echo $?; sleep 60 & kill $!; wait $!; echo $?',
    '4\n143\n',
  ],
  [
    'set -e ends at the first failure',
    'set -e; false || echo tested; if false; then :; fi; false; echo no',
    'tested\n',
    1,
  ],
  [
    'commands that are not there are 127',
    'nosuch 2>/dev/null; echo $?; /etc/passwd 2>/dev/null; echo $?',
    '127\n126\n',
  ],
  ['a pipe ends its writers', 'yes | head -n 2; echo $?', 'y\ny\n0\n'],
  ['functions return and shadow', 'f() { local x=2; echo $x; return 5; }; x=1; f; echo $? $x', '2\n5 1\n'],
  ['read takes one line and no more', 'printf "a b\\nc\\n" | { read x y; echo "$y-$x"; cat; }', 'b-a\nc\n'],
  [
    'files have modes and times',
    'umask 077; : > f; stat -c %a f; chmod 755 f; [ -x f ] && ls -l f | cut -c1-10; rm f',
    '600\n-rwxr-xr-x\n',
  ],
  ['bash words are refused by dash', '[[ a = a ]] 2>/dev/null; echo $?', '', 127],
]

t.test('scripts do what POSIX says', async t => {
  for (const [name, script, stdout, status = 0] of cases) {
    const ran = await runScript(system, script)
    t.strictSame([ran.stdout, ran.status], [stdout, status], name, { stderr: ran.stderr })
  }
})

t.test('quoted bytes come out as they went in', async () => {
  const byte = fc.integer({ min: 1, max: 255 }).map(code => String.fromCharCode(code))
  const words = fc.array(
    fc.array(byte, { maxLength: 40 }).map(bytes => bytes.join('')),
    { maxLength: 4 },
  )
  await fc.assert(
    fc.asyncProperty(words, async list => {
      const quoted = list.map(word => `'${word.replace(/'/g, "'\\''")}'`).join(' ')
      // Bytes above 127 reach the shell as they are: the script is one character a byte.
      const script = Buffer.from(
        `printf '%s|' ${quoted}; x=$1; set -- ${quoted}; printf '%s|' "$@"`,
        'latin1',
      )
      const ran = await runScript(system, 'cat > /tmp/q; sh /tmp/q', { stdin: script.toString('latin1') })
      const once = list.length === 0 ? '|' : list.map(word => `${word}|`).join('')
      return ran.stdout === once + once
    }),
    { numRuns: 60 },
  )
})

t.test('standard input passes through programs byte for byte', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 2_000 }), async bytes => {
      const stdin = Buffer.from(bytes).toString('latin1')
      const ran = await runScript(
        system,
        'cat | tee /tmp/copy | dd bs=7 2>/dev/null; cmp /tmp/copy /tmp/copy',
        { stdin },
      )
      return ran.stdout === stdin && ran.status === 0
    }),
    { numRuns: 30 },
  )
})

t.test('a loop that never waits does not stop the others', async t => {
  const busy = runScript(system, 'while :; do :; done')
  const other = await runScript(system, 'sleep 0.05; echo fair')
  t.equal(other.stdout, 'fair\n')
  for (const process of system.processes.list())
    if (process.argv.includes('while :; do :; done')) process.deliver('KILL')
  t.equal((await busy).status, 137)
})

t.test('bash is bash where it is asked for', async t => {
  const ran = await runScript(
    system,
    `[[ abc == a* ]] && echo {1..3} \${x:-ab} $((2**10)); y=hello; echo \${y:1:3} \${y/l/L} \${y^}`,
    {
      shell: '/bin/bash',
    },
  )
  t.equal(ran.stdout, '1 2 3 ab 1024\nell heLlo Hello\n')
})
