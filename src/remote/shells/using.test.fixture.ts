import { type ConnectOptions, connect, type Machine } from '../index.js'
import {
  alone,
  type ServerOptions,
  startServer,
  type TargetChange,
  type TestServer,
} from '../server.test.fixture.js'

interface Use {
  readonly server?: ServerOptions
  readonly target?: TargetChange
  readonly options?: ConnectOptions
}

/** A server and a machine connected to it, for one test. */
export async function using(
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
