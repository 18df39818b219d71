import { readFileSync } from 'node:fs'
import pLimit from 'p-limit'
import ssh2 from 'ssh2'

/**
 * The yardstick: `ssh2` alone, one connection an address, one command after the other, nothing looked at. As ssh2 comes,
 * Nagle's algorithm holds its small packets back; `isPrompt` turns that off, as guestcert does.
 */
interface Task {
  readonly addresses: readonly string[]
  readonly port: number
  readonly user: string
  readonly keyPath: string
  readonly commands: readonly string[]
  readonly parallel: number
  readonly isPrompt: boolean
}

const task = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')) as Task
const privateKey = readFileSync(task.keyPath)
const limit = pLimit(task.parallel)
await Promise.all(task.addresses.map(address => limit(() => visit(address))))

function visit(host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const client = new ssh2.Client()
    client.once('error', reject)
    client.once('close', () => resolve())
    client.once('ready', () => {
      const next = (index: number): void => {
        const command = task.commands[index]
        if (command === undefined) {
          client.end()
          return
        }
        client.exec(command, (error, channel) => {
          if (error) {
            reject(error)
            return
          }
          channel.resume()
          channel.stderr.resume()
          channel.once('close', () => next(index + 1))
        })
      }
      next(0)
    })
    client.once('connect', () => client.setNoDelay(task.isPrompt))
    client.connect({ host, port: task.port, username: task.user, privateKey })
  })
}
