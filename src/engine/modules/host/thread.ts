import { parentPort, workerData } from 'node:worker_threads'
import { runBody } from './body.js'

/** The thread of one attempt of one module; `npm run build` makes one file of it and of all that it imports. */
const port = parentPort
/** What Node itself ends with when the code that it waits for never comes to an end; the runner has words for it. */
const unsettledStatus = 13

if (port !== null) {
  let hasSettled = false
  process.once('beforeExit', () => {
    if (!hasSettled) process.exit(unsettledStatus)
  })
  void runBody(
    {
      listen: listener => {
        port.on('message', listener)
        port.unref()
      },
      ref: () => port.ref(),
      unref: () => port.unref(),
    },
    workerData as Uint8Array,
  ).finally(() => {
    hasSettled = true
  })
}
