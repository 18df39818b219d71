import t from 'tap'
import { UsageError } from '../config/errors.js'
import { argument, countFlag, isSet, listFlag, type ParsedArgs, textFlag } from './args.js'
import { commands } from './commands.js'
import { parse } from './parse.js'

function args(line: string): ParsedArgs {
  const request = parse(line.split(' '), commands)
  if (request.kind !== 'command') throw new Error(`${line} is a request for ${request.kind}`)
  return request.args
}

t.test('a command takes its arguments and flags, in any order', async t => {
  const parsed = args('run --guest ws* lab.yaml --guest=rhel5 --parallel 8 -q --test=clock/drift')
  t.equal(parsed.command, 'run')
  t.equal(argument(parsed, 'LAB'), 'lab.yaml')
  t.same(listFlag(parsed, 'guest'), ['ws*', 'rhel5'])
  t.same(listFlag(parsed, 'host'), [])
  t.equal(countFlag(parsed, 'parallel'), 8)
  t.equal(countFlag(parsed, 'retries'), undefined)
  t.equal(isSet(parsed, 'quiet'), true)
  t.equal(isSet(parsed, 'verbose'), false)
  t.equal(textFlag(parsed, 'output'), 'reports', 'what is not said has its default')
})

t.test('commands of two words, aliases, and switches of every command before the command', async t => {
  t.equal(args('--no-color -v lab build debian').command, 'lab build')
  t.equal(argument(args('lab build debian'), 'IMAGE'), 'debian')
  t.equal(textFlag(args('run lab.yaml -o out'), 'output'), 'out')
  t.equal(textFlag(args('run lab.yaml -oout'), 'output'), 'out')
})

t.test('what follows a bare -- is not a flag', async t => {
  t.equal(argument(args('run -- --odd-name.yaml'), 'LAB'), '--odd-name.yaml')
})

t.test('an argument that takes the rest takes it all', async t => {
  t.same(args('prove ./a ./b').arguments.get('SUITE'), ['./a', './b'])
  t.same(args('prove').arguments.get('SUITE'), undefined)
})

t.test('help and version are asked for anywhere', async t => {
  t.match(parse([], commands), { kind: 'nothing' })
  t.match(parse(['--help'], commands), { kind: 'help', command: null })
  t.match(parse(['lab', '-h'], commands), { kind: 'help', command: null })
  t.match(parse(['lab', 'build', '--help'], commands), { kind: 'help', command: { path: ['lab', 'build'] } })
  t.match(parse(['run', '--nonsense', '--help'], commands), { kind: 'help', command: { path: ['run'] } })
  t.match(parse(['run', '--version'], commands), { kind: 'version' })
})

t.test('every mistake is one line that quotes it, with the nearest known name', async t => {
  const cases: readonly (readonly [line: string, message: string])[] = [
    ['rnu lab.yaml', 'unknown command "rnu": did you mean "run"?'],
    ['frobnicate', 'unknown command "frobnicate": see guestcert --help'],
    ['lab', '"lab" needs a second word: build, up, down or clean'],
    ['lab biuld debian', 'unknown command "lab biuld": did you mean "build"?'],
    ['lab frobnicate', 'unknown command "lab frobnicate": known: build, up, down or clean'],
    ['--gest', 'unknown option --gest for "guestcert": did you mean "--guest"?'],
    ['--guest ws run', '--guest comes after its command: guestcert run … --guest …'],
    ['run lab.yaml --gest ws', 'unknown option --gest for "guestcert run": did you mean "--guest"?'],
    ['run lab.yaml -x', 'unknown option -x for "guestcert run": see guestcert --help'],
    ['run lab.yaml --guest', '--guest needs a value: --guest GLOB'],
    ['run --guest --host kvm lab.yaml', '--guest needs a value: --guest GLOB'],
    ['run lab.yaml --guest=', '--guest is empty'],
    ['run lab.yaml --quiet=yes', '--quiet takes no value'],
    ['run lab.yaml --parallel many', '--parallel must be a whole number from 1, not "many"'],
    ['run lab.yaml --parallel 0', '--parallel must be a whole number from 1, not "0"'],
    ['run lab.yaml --retries=-1', '--retries must be a whole number from 0, not "-1"'],
    ['run lab.yaml --level must', '--level must be required or optional, not "must"'],
    ['reports prune --older-than soon', '--older-than must be a time like 30d, 12h or 1h30m, not "soon"'],
    ['run', 'run needs LAB: guestcert run LAB [FLAGS]'],
    ['run a.yaml b.yaml', 'unexpected argument "b.yaml": guestcert run LAB [FLAGS]'],
    [
      'list test',
      'WHAT must be suites, tests, guests, hosts, products or requirements, not "test": did you mean "tests"?',
    ],
  ]
  for (const [line, message] of cases) {
    t.throws(() => parse(line.split(' '), commands), new UsageError(message), line)
    t.notMatch(message, '\n')
  }
})
