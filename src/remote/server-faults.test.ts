import t from 'tap'
import { connect } from './index.js'
import { alone, realShell, startServer } from './server.test.fixture.js'
import { needsOneChannel } from './server-faults.js'

t.test('the versions of dropbear that end a connection with several channels are known', async t => {
  const faulty = ['dropbear_2022.82', 'dropbear_2022.83', 'dropbear_2024.84', 'dropbear_2024.85', 'dropbear']
  const sound = [
    'dropbear_2020.81',
    'dropbear_2019.78',
    'dropbear_2024.86',
    'dropbear_2025.87',
    'dropbear_0.53.1',
  ]
  const others = ['OpenSSH_9.2p1', 'ssh2js1.17.0', 'not-dropbear_2022.83', '']
  t.same(faulty.filter(needsOneChannel), faulty)
  t.same([...sound, ...others].filter(needsOneChannel), [])
})

/** How many channels of one connection were open at most, and the connections that were made. */
async function channelsOn(ident: string): Promise<{ most: number; logins: number; outputs: string[] }> {
  const open = new Map<unknown, number>()
  let most = 0
  const run = realShell()
  const server = await startServer({
    ident,
    exec: (command, channel, connection) => {
      open.set(connection, (open.get(connection) ?? 0) + 1)
      most = Math.max(most, open.get(connection) ?? 0)
      channel.on('close', () => open.set(connection, (open.get(connection) ?? 0) - 1))
      run(command, channel, connection)
    },
  })
  const machine = await connect(server.target(), { ...alone, mark: `test/faults-${process.pid}` })
  try {
    const ran = await Promise.all([1, 2, 3, 4].map(number => machine.run(`sleep 0.1; echo ${number}`)))
    const stopped = await machine.run('sleep 7007', { limitMs: 100 })
    const outputs = [...ran.map(({ stdout }) => stdout.text), stopped.exit.kind, String(machine.lost.aborted)]
    return { most, logins: server.counts.logins, outputs }
  } finally {
    await machine.close()
    await server.close()
  }
}

t.test('such a server gets one channel a connection, also where a command is stopped', async t => {
  const outputs = ['1\n', '2\n', '3\n', '4\n', 'limit', 'false']
  t.same(await channelsOn('dropbear_2022.83'), { most: 1, logins: 2, outputs })
  const other = await channelsOn('dropbear_2025.88')
  t.match(other, { logins: 1, outputs })
  t.ok(other.most > 1, 'others get several')
})
