import t from 'tap'
import { connect } from './connect.js'
import { alone, startServer, type TestServer } from './server.test.fixture.js'
import { type CatalogEntry, catalog } from './shells/windows/catalog.js'
import { type FakeOptions, FakeWindows } from './windows.test.fixture.js'
import { openWindows, type WindowsMachine } from './windows-machine.js'

async function open(
  options: FakeOptions = {},
): Promise<{ machine: WindowsMachine; fake: FakeWindows; server: TestServer; close: () => Promise<void> }> {
  const fake = new FakeWindows(options)
  const server = await startServer({ exec: fake.exec })
  const target = server.target({ limits: { command: 5_000, firstCommand: 5_000, stop: 3_000 } })
  const machine = (await connect(target, {
    ...alone,
    become: (ssh, { signal }) => openWindows(ssh, { mark: 'lab/guest', signal }),
  })) as WindowsMachine
  const close = async (): Promise<void> => {
    await machine.close()
    await server.close()
  }
  return { machine, fake, server, close }
}

t.test('a guest is probed, and its commands run as they are', async t => {
  const { machine, fake, close } = await open()
  t.equal(machine.login, 'cmd')
  t.match(machine.look, { version: '10.0.20348.1', powershell: '5.1.1', codePage: 850 })
  const result = await machine.run('tool "a b"', { env: { GC_X: 'a&b' } })
  t.strictSame(result.exit, { kind: 'code', code: 3 })
  t.equal(result.stdout.text, 'said ä\n', 'in the code page of the guest, without our line')
  t.match(fake.commands.at(-1), 'set GC_X=a^&b&tool "a b"')
  const lost = await machine.run('vanish')
  t.strictSame(lost.exit, { kind: 'lost' }, 'a status that never came is none')
  await close()
})

t.test('forty questions together are one start, and a slow one costs its client alone', async t => {
  const { machine, fake, close } = await open()
  let isSlowSettled = false
  const asked = machine.ask(['wmi', 'root\\cimv2', 'Name', 'Slow'], { limitMs: 1_000 })
  const settled = asked.finally(() => {
    isSlowSettled = true
  })
  const slow = t.rejects(settled, /limit: command/)
  const answers = await Promise.all(
    Array.from({ length: 40 }, (_, index) => machine.ask(['wmi', 'root\\cimv2', 'Name', `Class${index}`])),
  )
  t.equal(isSlowSettled, false, 'the others did not wait for it')
  t.strictSame(
    answers.map(({ rows }) => rows[0]?.Name),
    Array.from({ length: 40 }, (_, index) => `Class${index}`),
  )
  await slow
  await t.rejects(machine.ask(['wmi', 'root\\cimv2', 'Name', 'Broken']), /Invalid class/)
  t.strictSame((await machine.ask(['registry', 'HKLM', 'None'])).absent, true)
  t.equal(fake.starts, 1)
  await t.rejects(machine.ask(['wmi', 'root\\cimv2', 'Name', 'Dies']), /PowerShell is gone/)
  t.equal(
    (await machine.ask(['wmi', 'root\\cimv2', 'Name', 'After'])).rows.length,
    1,
    'another one is started',
  )
  t.equal(fake.starts, 2)
  await close()
})

t.test('a PowerShell that does not serve says so', async t => {
  const { machine, close } = await open({ serviceFails: true })
  t.equal(machine.hasPowerShell, true)
  await t.rejects(machine.ask(['now']), /PowerShell does not serve: it ended \(status 1\).*not today/)
  t.equal(machine.hasPowerShell, false, 'and wmic and reg are asked from then on')
  await close()
})

t.test('what reached its limit is found by its mark and stopped', async t => {
  const { machine, fake, close } = await open()
  const { exit } = await machine.run('hang', { limitMs: 200 })
  t.strictSame(exit, { kind: 'limit', limit: 'command', limitMs: 200 })
  t.strictSame(fake.killed, [4711], 'with taskkill /T /F')
  t.equal(machine.lost.aborted, false)
  t.equal((await machine.run('tool')).exit.kind, 'code', 'the connection is of use')
  await close()
})

t.test('what cannot be stopped is not taken for stopped', async t => {
  const { machine, close } = await open({ immortal: true })
  await machine.run('hang', { limitMs: 200 })
  t.equal(machine.lost.aborted, true)
  t.match((machine.lost.reason as Error).message, /remained: 4711/)
  await close()
})

t.test('files go through the shell where there is no SFTP', async t => {
  const { machine, fake, close } = await open()
  const content = Buffer.from(Array.from({ length: 20_000 }, (_, index) => (index * 31) % 256))
  t.equal(await machine.fileWay(), 'certutil')
  await machine.writeFile('C:\\x.bin', content)
  t.ok(fake.files.get('C:\\x.bin')?.equals(content))
  t.ok((await machine.readFile('C:\\x.bin')).equals(content))
  t.ok(fake.commands.every(line => line.length < 8191))
  await t.rejects(machine.readFile('C:\\none.bin'), /reading C:\\none.bin failed/)
  await close()
})

t.test('with a login shell PowerShell, questions go in a file', async t => {
  const { machine, fake, close } = await open({ login: 'powershell' })
  t.equal(machine.login, 'powershell')
  const answers = await Promise.all(
    ['A', 'B', 'C'].map(name => machine.ask(['wmi', 'root\\cimv2', 'Name', name])),
  )
  t.strictSame(
    answers.map(({ rows }) => rows[0]?.Name),
    ['A', 'B', 'C'],
  )
  t.equal(fake.starts, 1)
  await t.rejects(machine.run('tool', { stdin: Buffer.from('x') }), /standard input/)
  await close()
})

t.test('a login shell that keeps eight bits of a status does not make 256 a success', async t => {
  const { machine, close } = await open({ login: 'cygwin' })
  t.equal(machine.login, 'cygwin')
  t.strictSame((await machine.run('exit 256')).exit, { kind: 'code', code: 256 })
  const { exit, stdout } = await machine.run('tool')
  t.strictSame(
    [exit, stdout.text],
    [{ kind: 'code', code: 3 }, 'said ä\n'],
    'our last line is not the command’s',
  )
  t.match((await machine.run('no-last-line')).exit, { kind: 'unproven', why: /its last line did not come/ })
  await close()
})

t.test('several lines go by a file; a line that cmd would not read is refused', async t => {
  const { machine, fake, close } = await open()
  const lines = Array.from({ length: 900 }, (_, index) => `tool ${index} 100%`)
  t.strictSame((await machine.run(lines.join('\n'))).exit, { kind: 'code', code: 3 })
  const [file = ''] = [...fake.files.keys()].filter(name => name.endsWith('.cmd'))
  t.match(fake.files.get(file)?.toString(), 'tool 899 100%%\r\n@exit %ERRORLEVEL%')
  t.match(fake.commands.at(-1), /cmd\.exe \/d \/c "C:\\WINDOWS\\Temp\\gc-[0-9a-f]{12}\.cmd"$/)
  await t.rejects(machine.run(`tool ${'x'.repeat(9000)}`), /reads no line of more than 8000 characters/)
  await t.rejects(machine.run('echo ä\necho ö'), /files only of ASCII/)
  await close()
})

t.test('the catalogue says of every text what it is for and where it is from', async t => {
  for (const [name, { sources, answer, why, versions }] of Object.entries<CatalogEntry>(catalog)) {
    t.ok(sources.length > 0 && answer !== '' && why !== '' && versions !== '', name)
  }
})
