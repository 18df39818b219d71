import { chmodSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import t from 'tap'
import { carry, connect, fetch, uploadCommand } from './index.js'
import { alone, realShell, scripted, startServer } from './server.test.fixture.js'

const server = await startServer({ exec: realShell() })
const machine = await connect(server.target(), alone)
const options = { limitMs: 20_000 }
t.teardown(async () => {
  await machine.close()
  await server.close()
})

t.test('files arrive with their paths, bytes and modes, in one command', async t => {
  const folder = join(t.testdir(), "a folder's name")
  const before = server.commands.length
  const long = `${'deep/'.repeat(25)}${'n'.repeat(90)}`
  const content = Buffer.from(Array.from({ length: 70_000 }, (_, index) => index % 256))
  await carry(
    machine,
    [
      { path: 'run.sh', mode: 0o755, content: Buffer.from('#!/bin/sh\necho carried\n') },
      { path: 'lib/data with space', mode: 0o644, content },
      { path: 'lib/empty', mode: 0o600, content: Buffer.alloc(0) },
      { path: long, mode: 0o644, content: Buffer.from('long') },
    ],
    folder,
    options,
  )
  t.equal(server.commands.length, before + 1)
  t.equal((await machine.run(`'${folder.replace("'", "'\\''")}/run.sh'`)).stdout.text, 'carried\n')
  t.ok(readFileSync(join(folder, 'lib/data with space')).equals(content))
  t.equal(readFileSync(join(folder, long), 'utf8'), 'long')
  t.equal(statSync(join(folder, 'lib/empty')).size, 0)
  t.equal(statSync(join(folder, 'run.sh')).mode & 0o700, 0o700)
  t.equal(statSync(folder).mode & 0o777, 0o700, 'the folder is nobody else’s')
})

t.test('without tar a script of printf carries the same bytes, names and modes', async t => {
  const folder = join(t.testdir(), "a folder's name")
  const content = Buffer.from(Array.from({ length: 9_000 }, (_, index) => index % 256))
  const files = [
    { path: "lib/it's %s data", mode: 0o640, content },
    { path: 'run.sh', mode: 0o755, content: Buffer.from("#!/bin/sh\necho '50%' \\n\n") },
    { path: 'lib/empty', mode: 0o600, content: Buffer.alloc(0) },
  ]
  const { command, stdin } = await uploadCommand(files, folder, 'printf')
  t.match((await machine.run(command, { stdin })).exit, { kind: 'code', code: 0 })
  for (const { path, mode, content: wanted } of files) {
    t.ok(readFileSync(join(folder, path)).equals(wanted), path)
    t.equal(statSync(join(folder, path)).mode & 0o777, mode)
  }
  const cut = await machine.run(command.replaceAll('name', 'cut'), { stdin: stdin.subarray(0, -4) })
  t.not(cut.exit.kind === 'code' ? cut.exit.code : 1, 0, 'a script that is cut is not carried out')
})

t.test('the same files make the same archive', async t => {
  const files = [{ path: 'a/b', mode: 0o644, content: Buffer.from('x') }]
  const [one, two] = await Promise.all([uploadCommand(files, '/f'), uploadCommand(files, '/f')])
  t.ok(one.stdin.equals(two.stdin))
  t.equal(one.command, '(umask 077&&mkdir -p /f&&cd /f&&exec tar -xmf -)')
})

t.test('the command may be followed by others, in the folder that it was in', async t => {
  const folder = join(t.testdir(), 'to')
  const { command, stdin } = await uploadCommand(
    [{ path: 'x', mode: 0o644, content: Buffer.from('x') }],
    folder,
  )
  const result = await machine.run(`umask 022\ncd /\n${command} || exit 90\npwd; umask; cat ${folder}/x`, {
    stdin,
  })
  t.match(result, { exit: { kind: 'code', code: 0 }, stdout: { text: '/\n0022\nx' } })
})

t.test('paths that lead out of the folder are a bug of ours', async t => {
  for (const path of ['', '/etc/passwd', '../x', 'a/../../x', './a', 'a//b', 'a/', 'a\0b']) {
    await t.rejects(uploadCommand([{ path, mode: 0o644, content: Buffer.alloc(0) }], '/f'), {
      name: 'InternalError',
    })
  }
})

t.test('a folder that cannot be made is an error with what tar or mkdir said', async t => {
  const file = join(t.testdir({ file: 'x' }), 'file')
  await t.rejects(carry(machine, [], `${file}/below`, options), {
    name: 'InfraError',
    message: /guest-1: carrying 0 files to .* failed: status [1-9]\d*: mkdir: .*Not a directory/,
    context: { code: 'transfer', cause: 'guest' },
  })
})

t.test('fetching gives every byte, and an error when it does not', async t => {
  const folder = t.testdir()
  const path = join(folder, "it's a file")
  const any = fc.sample(fc.uint8Array({ minLength: 50_000, maxLength: 50_000 }), 1)[0] ?? new Uint8Array()
  writeFileSync(path, any)
  const chunks: Buffer[] = []
  const length = await fetch(machine, path, chunk => void chunks.push(chunk), options)
  t.equal(length, 50_000)
  t.ok(Buffer.concat(chunks).equals(Buffer.from(any)))
  await t.rejects(
    fetch(machine, `${path}-none`, () => {}, options),
    {
      name: 'InfraError',
      message: /fetching .* failed: status 1: cat: .*No such file/,
      context: { code: 'transfer' },
    },
  )
  await t.rejects(
    fetch(machine, '-n', () => {}, options),
    { name: 'InfraError' },
  )
})

t.test('a status that was lost is not a success', async t => {
  const broken = await startServer({
    exec: scripted(channel => {
      channel.write('some bytes')
      channel.close()
    }),
  })
  const other = await connect(broken.target(), alone)
  await t.rejects(
    fetch(other, '/x', () => {}, options),
    {
      name: 'InfraError',
      message: /no exit status received/,
      context: { cause: 'network' },
    },
  )
  await t.rejects(carry(other, [], '/x', options), { message: /no exit status received/ })
  await other.close()
  await broken.close()
})

t.test('a transfer that hangs ends at its limit', async t => {
  const folder = t.testdir()
  const pipe = join(folder, 'pipe')
  const made = await machine.run(`mkfifo ${pipe}`)
  t.match(made.exit, { kind: 'code', code: 0 })
  t.ok(existsSync(pipe))
  chmodSync(pipe, 0o600)
  await t.rejects(
    fetch(machine, pipe, () => {}, { limitMs: 200 }),
    {
      name: 'InfraError',
      message: /the limit "transfer" of 200 ms was reached/,
      context: { limit: 'transfer' },
    },
  )
})
