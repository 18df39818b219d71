import type { Client, ClientChannel } from 'ssh2'
import { InfraError } from '../../config/errors.js'
import { messageOf, peerText } from '../trouble.js'
import type { ChannelEnd } from './ending.js'
import { RefusedChannel } from './places.js'

/** The longest line that every SSH server must take in one packet (RFC 4253, 6.1), less its frame. */
const longestLineBytes = 32_000
/** ssh2 buffers at most 2 MiB of a paused stream, if the other side keeps to SSH's window. */
const mostUnreadBytes = 8 * 1024 * 1024

/**
 * Starts a command line on a channel of its own, and hands the channel to `follow` in the same turn of the
 * event loop: a short command's exit status may be the next message in the same packet of the network, and
 * would be told to nobody by the time a promise has resolved. Throws InfraError (`lost`, `command`).
 */
export function openExec<T>(
  client: Client,
  line: string,
  where: string,
  follow: (channel: ClientChannel) => T,
): Promise<T> {
  const bytes = Buffer.byteLength(line)
  if (bytes > longestLineBytes) {
    return Promise.reject(
      new InfraError(
        `${where}: a command of ${bytes} bytes is too long to send (${longestLineBytes}); carry it as a file`,
        { cause: 'runner', where, code: 'command' },
      ),
    )
  }
  return new Promise((resolve, reject) => {
    const refuse = (error: unknown): void => reject(refusedChannel(error, where))
    try {
      client.exec(line, (error, channel) => {
        if (error === undefined || error === null) {
          resolve(follow(channel))
        } else {
          refuse(error)
        }
      })
    } catch (error) {
      refuse(error)
    }
  })
}

function refusedChannel(error: unknown, where: string): InfraError {
  const text = peerText(messageOf(error))
  if (/not connected|no response from server/i.test(text)) {
    return new InfraError(`${where}: the connection is lost`, { cause: 'network', where, code: 'lost' })
  }
  return new RefusedChannel(where, text)
}

/**
 * ssh2 takes what comes even when it is more than the window allows. A server that sends on while a
 * slow sink holds the stream would fill the memory: it is reported instead.
 */
export function guardWindow(channel: ClientChannel, onFlood: () => void): void {
  for (const stream of [channel, channel.stderr]) {
    const push = stream.push.bind(stream)
    stream.push = (chunk: unknown, encoding?: BufferEncoding): boolean => {
      if (stream.readableLength > mostUnreadBytes) {
        onFlood()
        return false
      }
      return push(chunk, encoding)
    }
  }
}

/**
 * Tells every end that the server tells of. ssh2 keeps the first to itself and drops the others unseen, by looking
 * whether it knows a status already: here it never does.
 */
export function followEnds(channel: ClientChannel, onEnd: (end: ChannelEnd) => void): void {
  Object.defineProperty(channel, '_exit', {
    value: Object.defineProperty({}, 'code', { get: () => undefined, set: () => {} }),
  })
  channel.on('exit', (code: number | null, signal?: string) => {
    if (typeof code === 'number') {
      onEnd({ kind: 'code', code })
    } else if (signal !== undefined) {
      onEnd({ kind: 'signal', signal })
    }
  })
}
