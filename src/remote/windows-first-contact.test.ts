/** Windows SSH servers whose exit statuses mean nothing, whatever their login shell is. */
import t from 'tap'
import { connect } from './connect.js'
import { isWorthRetrying } from './retries.js'
import { type Answer, alone, startServer } from './server.test.fixture.js'
import { type FakeOptions, FakeWindows } from './windows.test.fixture.js'
import { openWindows } from './windows-machine.js'

type Login = NonNullable<FakeOptions['login']>

/** How a server lies, given what a sound one would do. Each tells how often it did. */
const liars: Readonly<Record<string, (sound: Answer) => Answer>> = {
  'carries nothing out': () => (_, channel) => {
    channel.exit(0)
    channel.close()
  },
  'tells its login shell, and carries nothing else out': sound => (command, channel, connection) => {
    if (command.startsWith('echo gc-shell')) sound(command, channel, connection)
    else {
      channel.exit(0)
      channel.close()
    }
  },
  'carries all out, and says 0 of each': sound => (command, channel, connection) => {
    const exit = channel.exit.bind(channel)
    channel.exit = () => exit(0)
    sound(command, channel, connection)
  },
  'carries all out, and writes 0 on our last line, too': sound => (command, channel, connection) => {
    const [exit, write] = [channel.exit.bind(channel), channel.write.bind(channel)]
    channel.exit = () => exit(0)
    channel.write = (chunk: Buffer | string) =>
      write(chunk.toString().replace(/(gc[0-9a-f]{16}e[0-9a-f]{16}) \d+/, '$1 0'))
    sound(command, channel, connection)
  },
}

for (const login of ['cmd', 'powershell', 'cygwin'] as const satisfies readonly Login[]) {
  for (const [what, lie] of Object.entries(liars)) {
    t.test(`login shell ${login}, a server that ${what}`, async t => {
      let asked = 0
      const answer = lie(new FakeWindows({ login }).exec)
      const server = await startServer({
        exec: (command, channel, connection) => {
          asked += 1
          answer(command, channel, connection)
        },
      })
      t.teardown(() => server.close())
      const error = await connect(server.target(), {
        ...alone,
        become: (ssh, { signal }) => openWindows(ssh, { mark: 'lab/guest', signal }),
      }).then(
        () => null,
        (refusal: unknown) => refusal,
      )
      t.match(error, {
        name: 'InfraError',
        message: /^guest-1: exit statuses of this SSH server cannot be trusted: .*status 0/,
        context: { cause: 'unknown', code: 'command' },
      })
      t.notOk(isWorthRetrying(error), 'no waiting mends it')
      t.ok(asked > 0)
    })
  }
}
