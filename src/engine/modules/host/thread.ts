import { parentPort, workerData } from 'node:worker_threads'
import { runBody } from './body.js'

/** The thread of one attempt of one module. */
const port = parentPort
if (port !== null) {
  await runBody(
    {
      listen: listener => {
        port.on('message', listener)
        port.unref()
      },
      ref: () => port.ref(),
      unref: () => port.unref(),
    },
    workerData as Uint8Array,
  )
}
