import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import fc from 'fast-check'
import t from 'tap'
import { type ConnectOptions, connect, type Machine, type RunOptions } from '../index.js'
import {
  alone,
  realShell,
  type ServerOptions,
  scripted,
  startServer,
  type TargetChange,
  type TestServer,
  unique,
} from '../server.test.fixture.js'

interface Use {
  readonly server?: ServerOptions
  readonly target?: TargetChange
  readonly options?: ConnectOptions
}

/** A server and a machine connected to it, for one test. */
async function using(
  { server: serverOptions = {}, target = {}, options = {} }: Use,
  work: (machine: Machine, server: TestServer) => Promise<void>,
): Promise<void> {
  const server = await startServer(serverOptions)
  const machine = await connect(server.target(target), { ...alone, mark: 'lab/guest/run', ...options })
  try {
    await work(machine, server)
  } finally {
    await machine.close()
    await server.close()
  }
}

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
    t.equal(
      stdout.text,
      `C|C|UTC|/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin|/home/t|unset|unset|it's $HOME||/t\n`,
    )
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

t.test('output is exact, whatever the chunks; text is UTF-8 with replacement', async t => {
  const anyBytes = fc.uint8Array({ maxLength: 200 }).map(bytes => Buffer.from(bytes))
  let given: Buffer[] = []
  const exec = scripted(channel => {
    for (const chunk of given) {
      channel.write(chunk)
    }
    channel.exit(0)
    channel.close()
  })
  await using({ server: { exec } }, async machine => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyBytes, { maxLength: 8 }), async chunks => {
        given = chunks
        const { stdout } = await machine.run('true')
        return stdout.bytes.equals(Buffer.concat(chunks))
      }),
      { numRuns: 60 },
    )
    given = [Buffer.from('ä').subarray(0, 1), Buffer.from('ä').subarray(1), Buffer.from([0xff, 0x41])]
    t.equal((await machine.run('true')).stdout.text, 'ä\ufffdA')
  })
})

t.test('noise of the login shell is no output of the command', async t => {
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
    t.match(await machine.run('echo mine'), {
      exit: { kind: 'code', code: 1 },
      stdout: { text: 'This account is currently not available.\n' },
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

t.test('a status before the cut is kept, but its streams were not seen to their end', async t => {
  const exec = scripted((channel, connection) => {
    channel.write('ok 1\n')
    channel.exit(0)
    setImmediate(() => connection.end())
  })
  await using({ server: { exec } }, async machine => {
    t.match(await machine.run('true'), { exit: { kind: 'code', code: 0 }, undrained: true })
  })
})

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
  await using({ server: { refusesChannels: true } }, async machine => {
    await t.rejects(machine.run('true'), {
      name: 'InfraError',
      message: /guest-1: the SSH server did not start the command/,
      context: { code: 'command' },
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

t.test('what is kept is bounded, what is counted is not', async t => {
  await using({}, async machine => {
    const seen: number[] = []
    const result = await machine.run('head -c 300000 /dev/zero; echo x >&2', {
      keepBytes: 1000,
      onStdout: chunk => void seen.push(chunk.length),
    })
    t.match(result.stdout, { totalBytes: 300_000, truncated: true })
    t.equal(result.stdout.bytes.length, 1000)
    t.equal(
      seen.reduce((sum, bytes) => sum + bytes, 0),
      300_000,
      'the sink got all',
    )
    t.notOk(result.stderr.truncated)
    t.notOk((await machine.run('echo 12345', { keepBytes: 6 })).stdout.truncated, 'exactly full is whole')
  })
})

t.test('a slow sink holds the writer up, and loses nothing', async t => {
  await using({ target: { limits: { drain: 300 } } }, async machine => {
    let [taken, atOnce, most] = [0, 0, 0]
    const result = await machine.run('head -c 3000000 /dev/zero', {
      keepBytes: 0,
      onStdout: async chunk => {
        atOnce += 1
        most = Math.max(most, atOnce)
        await pause(1)
        taken += chunk.length
        atOnce -= 1
      },
    })
    t.equal(taken, 3_000_000)
    t.equal(most, 1, 'one chunk after another')
    t.match(result, { exit: { kind: 'code', code: 0 }, undrained: false })
  })
})

t.test('a sink that takes longer than the drain limit is not taken for a held stream', async t => {
  await using({ target: { limits: { drain: 50 } } }, async machine => {
    let taken = ''
    const result = await machine.run('echo a', {
      onStdout: async chunk => {
        await pause(300)
        taken += chunk
      },
    })
    t.equal(taken, 'a\n')
    t.match(result, { exit: { kind: 'code', code: 0 }, undrained: false })
  })
})

t.test('a server that ignores the window cannot fill the memory', async t => {
  const exec = scripted(channel => {
    // The window belongs to the client: here the server pretends that it never shrinks.
    const { outgoing } = channel as unknown as { outgoing: { window: number } }
    // Of a length that never makes the window exactly 0, where ssh2 would drop the rest.
    const chunk = Buffer.alloc(30_001)
    for (let count = 0; count < 1000; count += 1) {
      outgoing.window = 2 ** 31
      channel.write(chunk)
    }
  })
  await using({ server: { exec } }, async machine => {
    let release: () => void = () => {}
    const blocked = new Promise<void>(resolve => {
      release = resolve
    })
    const lost = new Promise<void>(resolve => machine.lost.addEventListener('abort', () => resolve()))
    const running = machine.run('true', { onStdout: () => blocked })
    await lost
    t.match(machine.lost.reason, { message: /sends more than it may/ })
    release()
    t.same((await running).exit, { kind: 'lost' })
  })
})

t.test('a sink that fails ends the command, and its error is the command’s', async t => {
  await using({}, async machine => {
    const full = new Error('no space left')
    for (const onStdout of [
      () => Promise.reject(full),
      () => {
        throw full
      },
    ] satisfies RunOptions['onStdout'][]) {
      await t.rejects(machine.run(unique('echo a; sleep 61'), { onStdout }), { message: 'no space left' })
    }
    const { stdout } = await machine.run(unique("ps ax | grep '[s]leep 61'"))
    t.equal(stdout.text, '')
  })
})

t.test('a background child that holds the streams does not hold us', async t => {
  await using({ target: { limits: { drain: 200 } } }, async machine => {
    const startedAt = performance.now()
    const result = await machine.run(unique('sleep 20 & echo begun; exit 4'))
    t.match(result, { exit: { kind: 'code', code: 4 }, stdout: { text: 'begun\n' }, undrained: true })
    t.ok(performance.now() - startedAt < 10_000)
    await machine.run(unique("kill $(ps ax | grep '[s]leep 20' | { read -r pid rest; echo $pid; })"))
  })
})

t.test('a child that goes on talking after the exit is listened to only so long', async t => {
  await using({ target: { limits: { drain: 50 } } }, async machine => {
    const startedAt = performance.now()
    const result = await machine.run(
      '(n=0; while [ $n -lt 100 ]; do n=$((n+1)); echo more; sleep 0.02; done) & exit 0',
    )
    t.match(result, { exit: { kind: 'code', code: 0 }, undrained: true })
    t.ok(performance.now() - startedAt < 5_000)
    t.ok(result.stdout.totalBytes > 0)
  })
})
