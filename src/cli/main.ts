#!/usr/bin/env node
import { packageVersion } from '../config/package-root.js'

// A reader that goes away (`| head`) is no error: what is left to say is dropped.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE' && error.code !== 'ERR_STREAM_DESTROYED') throw error
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
