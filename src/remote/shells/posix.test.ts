import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { realShell, type ServerOptions, scripted } from '../server.test.fixture.js'
import { using } from './using.test.fixture.js'

t.test('status, both streams, and the time it took', async t => {
  await using({}, async machine => {
    const result = await machine.run('echo out; echo err >&2; exit 3')
    t.match(result, {
      exit: { kind: 'code', code: 3 },
      stdout: { text: 'out\n', totalBytes: 4, truncated: false },
      stderr: { text: 'err\n', totalBytes: 4, truncated: false },
      undrained: false,
    })
    t.ok(result.durationMs > 0 && result.durationMs < 30_000)
    t.equal((await machine.run('true')).exit.kind, 'code')
  })
})

t.test('scripts of several lines, here-documents and odd characters', async t => {
  await using({}, async machine => {
    const { stdout } = await machine.run(
      'cat <<"END"\nit\'s \\ ! "$HOME" `x`\nEND\nif true\nthen\n  printf "%s|" "a b" $#\nfi',
    )
    t.equal(stdout.text, 'it\'s \\ ! "$HOME" `x`\na b|0|')
    t.match(await machine.run('if then'), { exit: { kind: 'code', code: 2 }, stdout: { text: '' } })
    t.match(await machine.run('echo a # a comment'), { stdout: { text: 'a\n' } })
  })
})

t.test('the environment is set and not inherited', async t => {
  const exec = realShell(['/bin/sh'], {
    LC_ALL: 'de_DE.UTF-8',
    TZ: 'Europe/Berlin',
    ENV: '/x',
    CDPATH: '/',
    HOME: '/home/t',
  })
  await using({ server: { exec } }, async machine => {
    const script =
      'echo "$LC_ALL|$LANG|$TZ|$PATH|$HOME|$' + '{ENV-unset}|$' + '{CDPATH-unset}|$MINE|$OTHER|$TMPDIR"'
    const env = { MINE: "it's $HOME", OTHER: '', TMPDIR: '/t' }
    const { stdout } = await machine.run(script, { env })
    const usual = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'
    // NixOS and Guix have next to nothing in the usual places.
    const others = '/run/wrappers/bin:/run/current-system/sw/bin:/run/current-system/profile/bin'
    t.equal(stdout.text, `C|C|UTC|${usual}:${others}|/home/t|unset|unset|it's $HOME||/t\n`)
    await t.rejects(machine.run('true', { env: { 'a;b': 'c' } }), { name: 'InternalError' })
  })
})

t.test('every command is marked with a mark of its own', async t => {
  await using({}, async machine => {
    const marks = await Promise.all(
      [1, 2].map(async () => (await machine.run("sh -c 'echo $GUESTCERT_MARK'")).stdout.text.trim()),
    )
    t.match(marks[0], /^lab\/guest\/run\/[0-9a-f]{8}-\d+$/)
    t.not(marks[0], marks[1])
  })
})

t.test('one channel a command, and no more than the bound at once', async t => {
  let [open, most] = [0, 0]
  const exec = scripted(channel => {
    open += 1
    most = Math.max(most, open)
    setTimeout(() => {
      open -= 1
      channel.exit(0)
      channel.close()
    }, 20)
  })
  await using({ server: { exec }, options: { channels: 3 } }, async (machine, server) => {
    await Promise.all(Array.from({ length: 12 }, () => machine.run('true')))
    t.equal(most, 3)
    t.equal(server.commands.length, 12, 'one exec each')
  })
})

t.test('standard input: none, bytes, a stream, and one that nobody reads', async t => {
  await using({}, async machine => {
    t.equal((await machine.run('cat; echo end')).stdout.text, 'end\n', 'closed at once')
    const bytes = Buffer.from(Array.from({ length: 100_000 }, (_, index) => index % 251))
    const echoed = await machine.run('cat', { stdin: bytes })
    t.ok(echoed.stdout.bytes.equals(bytes))
    const path = join(t.testdir(), 'input')
    writeFileSync(path, bytes)
    const { createReadStream } = await import('node:fs')
    const streamed = await machine.run('cat', { stdin: createReadStream(path) })
    t.ok(streamed.stdout.bytes.equals(bytes))
    const unread = await machine.run('exit 7', { stdin: Buffer.alloc(10_000_000) })
    t.match(unread.exit, { kind: 'code', code: 7 })
    const missing = createReadStream(`${path}-missing`)
    await t.rejects(machine.run('cat', { stdin: missing }), { code: 'ENOENT' })
  })
})

t.test('noise of the login shell is not output of the command', async t => {
  const exec = realShell([
    '/bin/sh',
    '-c',
    'echo "welcome to this system"; printf "no line end"; exec /bin/sh -c "$1"',
  ])
  await using({ server: { exec } }, async machine => {
    t.equal((await machine.run('echo mine')).stdout.text, 'mine\n')
  })
})

t.test('a login shell that runs nothing is told by its own words', async t => {
  const exec = realShell(['/bin/sh', '-c', 'echo "This account is currently not available."; exit 1'])
  await using({ server: { exec } }, async machine => {
    await t.rejects(machine.run('echo mine'), {
      name: 'InfraError',
      message:
        /^guest-1: the command was not carried out \(status 1\); the guest printed: This account is currently not available\.$/,
      context: { code: 'command', cause: 'unknown' },
    })
  })
})

t.test('a signal is a signal and no status', async t => {
  await using({}, async machine => {
    t.match((await machine.run('kill -TERM $$')).exit, { kind: 'signal', signal: 'SIGTERM' })
  })
})

const lies: Record<string, ServerOptions['exec']> = {
  'a channel that closes without a status': scripted(channel => {
    channel.write('ok 1\nok 2\n1..2\n')
    channel.close()
  }),
  'an end of file without a status': scripted(channel => {
    channel.end('ok 1\n1..1\n')
  }),
  'a connection that is cut after all was well': scripted((channel, connection) => {
    channel.write('ok 1\nok 2\n1..2\n')
    setImmediate(() => connection.end())
  }),
}

for (const [what, exec] of Object.entries(lies)) {
  t.test(`${what} is a lost status`, async t => {
    await using({ server: { ...(exec === undefined ? {} : { exec }) } }, async machine => {
      const { exit, stdout } = await machine.run('true', { limitMs: 20_000 })
      t.same(exit, { kind: 'lost' })
      t.match(stdout.text, /^ok 1\n/, 'what was said is kept')
    })
  })
}

t.test(
  'a status that was proven before the cut is kept, but its streams were not seen to their end',
  async t => {
    const exec = scripted((channel, connection) => {
      channel.write('ok 1\n')
      channel.exit(0)
      setImmediate(() => connection.end())
    })
    await using({ server: { exec } }, async machine => {
      t.match(await machine.run('true'), { exit: { kind: 'code', code: 0 }, undrained: true })
    })
  },
)

t.test('a cut connection: running commands are lost, later ones throw, and it is told why', async t => {
  await using({}, async (machine, server) => {
    const running = machine.run('echo begun; sleep 60', {
      onStdout: () => server.cut(),
    })
    t.same((await running).exit, { kind: 'lost' })
    t.ok(machine.lost.aborted)
    t.match(machine.lost.reason, { name: 'InfraError', context: { code: 'lost', cause: 'network' } })
    await t.rejects(machine.run('true'), { name: 'InfraError', context: { code: 'lost' } })
    await t.rejects(machine.forward('127.0.0.1', 1), { name: 'InfraError', context: { code: 'lost' } })
  })
})

t.test('a server that opens no channel is an error that says so, and the machine is not lost', async t => {
  await using({ server: { refusesChannels: true }, target: { limits: { channel: 300 } } }, async machine => {
    await t.rejects(machine.run('true'), {
      name: 'InfraError',
      message: /guest-1: the SSH server did not start the command.*limit "channel" of 300 ms/,
      context: { code: 'command', limit: 'channel' },
    })
    t.notOk(machine.lost.aborted)
  })
})

t.test('a command that is too long to send is refused here', async t => {
  await using({}, async machine => {
    await t.rejects(machine.run(`echo ${'x'.repeat(40_000)}`), {
      message: /too long to send/,
      context: { cause: 'runner' },
    })
    t.equal((await machine.run(`echo ${'x'.repeat(20_000)}`)).stdout.totalBytes, 20_001)
  })
})
