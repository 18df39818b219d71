#!/usr/bin/env node
import { packageVersion } from '../config/package-root.js'

/** A reader that goes away (`| head`), or a terminal, is not an error: what is left to say is dropped. */
const goneReader: ReadonlySet<unknown> = new Set(['EPIPE', 'ERR_STREAM_DESTROYED', 'EIO'])
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (!goneReader.has(error.code)) throw error
  })
}

const argv = process.argv.slice(2)
if (argv.length === 1 && (argv[0] === '--version' || argv[0] === '-V')) {
  // Nothing else is loaded: scripts ask for this often.
  process.stdout.write(`guestcert ${packageVersion()}\n`)
} else {
  const { main } = await import('./process.js')
  await main(argv)
}
