import { connect, createServer, type Socket } from 'node:net'

/**
 * A program that stands between clients and servers as a long line would: `relay.js DELAY_MS PORT LISTEN=TARGET …` takes
 * connections on each address and passes what comes on to the target, in both directions so many ms later. Prints a line
 * when it listens.
 */
const [delay = '0', port = '0', ...pairs] = process.argv.slice(2)

function passOn(from: Socket, to: Socket): void {
  const later = (act: () => void): void => void setTimeout(act, Number(delay))
  from.on('data', chunk => later(() => to.write(chunk)))
  from.on('end', () => later(() => to.end()))
  from.on('error', () => to.destroy())
  from.on('close', () => later(() => to.destroy()))
}

await Promise.all(
  pairs.map(pair => {
    const [listen, target = ''] = pair.split('=')
    const server = createServer({ allowHalfOpen: true, noDelay: true }, client => {
      const out = connect({ host: target, port: Number(port), noDelay: true, allowHalfOpen: true })
      passOn(client, out)
      passOn(out, client)
    })
    return new Promise<void>(resolve => server.listen(Number(port), listen, resolve))
  }),
)
process.stdout.write('listening\n')
