import { setTimeout as pause } from 'node:timers/promises'
import fc from 'fast-check'
import t from 'tap'
import type { RunOptions } from '../index.js'
import { scripted, unique } from '../server.test.fixture.js'
import { using } from './using.test.fixture.js'

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
    const result = await machine.run(unique('sleep 2020 & echo begun; exit 4'))
    t.match(result, { exit: { kind: 'code', code: 4 }, stdout: { text: 'begun\n' }, undrained: true })
    await machine.run(unique("kill $(ps ax | grep '[s]leep 2020' | { read -r pid rest; echo $pid; })"))
  })
})

t.test('a child that goes on talking after the exit is listened to only so long', async t => {
  await using({ target: { limits: { drain: 50 } } }, async machine => {
    const result = await machine.run(
      '(n=0; while [ $n -lt 1000 ]; do n=$((n+1)); echo more; sleep 0.02; done) & sleep 0.1; exit 0',
    )
    const why = /output came behind its last line/
    t.match(result, { exit: { kind: 'unproven', why }, undrained: true }, 'what it says then proves no end')
    t.ok(result.stdout.totalBytes > 0)
  })
})
