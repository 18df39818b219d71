import { existsSync, statSync, writeSync } from 'node:fs'
import inspector from 'node:inspector'
import { Worker } from 'node:worker_threads'
import { endMark } from '../marked-output.js'
import { encodeFrame, type FromHost, frameDescriptor, type ToHost } from '../wire.js'
import { encodeError, type WireError } from '../wire-error.js'

/**
 * A process that runs test modules for the runner, one at a time, each attempt in a thread of its own. No code of a
 * module runs in this thread (unless it is debugged), so that it can always end the one that does.
 */
const watchEveryMs = 100
const wrongUse = 64

const thread = threadFile()

let running: { readonly token: number; readonly worker: Worker } | null = null

/** The thread as one file where it was built, and is no older than its sources: it is loaded in two thirds of the time. */
function threadFile(): URL {
  const own = new URL(import.meta.url.replace(/main\.(\w+)$/, 'thread.$1'))
  const built = new URL('thread.cjs', own)
  const isBuilt = existsSync(built) && statSync(built).mtimeMs >= statSync(own).mtimeMs
  return isBuilt ? built : own
}

function tell(message: FromHost): void {
  process.send?.(message)
}

function writeEnd(token: number, code: number, error: WireError | null): void {
  const bytes = encodeFrame(token, { kind: 'thread-ended', code, error })
  for (const descriptor of [1, 2]) {
    try {
      writeSync(descriptor, endMark(token))
    } catch {
      // A module has closed it: the runner waits for no more of it than its limit.
    }
  }
  for (let at = 0; at < bytes.length; ) {
    at += writeSync(frameDescriptor, bytes, at)
  }
  tell({ kind: 'ended', token })
}

function start({ token, payload, memoryBytes }: Extract<ToHost, { kind: 'start' }>): void {
  let error: WireError | null = null
  const worker = new Worker(thread, {
    workerData: payload,
    resourceLimits: { maxOldGenerationSizeMb: Math.ceil(memoryBytes / 2 ** 20) },
    // What is left open by a module ends with its process; to keep count of it is not needed.
    trackUnmanagedFds: true,
  })
  running = { token, worker }
  const watch = setInterval(() => {
    const bytes = process.memoryUsage.rss()
    if (bytes > memoryBytes) {
      clearInterval(watch)
      // Told by a synchronous write, too: the channel may not be emptied any more.
      writeEnd(token, 1, { name: 'MemoryLimit', message: String(bytes) })
      process.kill(process.pid, 'SIGKILL')
    }
  }, watchEveryMs)
  worker.on('error', (thrown: unknown) => {
    error = encodeError(thrown)
  })
  worker.on('exit', code => {
    clearInterval(watch)
    running = null
    writeEnd(token, code, error)
  })
}

/** A module that is debugged runs in this thread: a debugger reaches no other before it has begun. */
async function startInspected({ token, payload }: Extract<ToHost, { kind: 'start' }>): Promise<void> {
  inspector.open(0, '127.0.0.1')
  tell({ kind: 'debugger', url: inspector.url() ?? '' })
  const { runBody } = await import('./body.js')
  const listeners = new Set<(payload: Uint8Array) => void>()
  process.on('message', (message: ToHost) => {
    if (message.kind === 'reply' && message.token === token) {
      for (const listener of listeners) listener(message.payload)
    }
  })
  await runBody(
    {
      listen: listener => void listeners.add(listener),
      ref: () => process.channel?.ref(),
      unref: () => process.channel?.unref(),
    },
    payload,
    () => {
      inspector.waitForDebugger()
    },
  )
  process.once('exit', code => writeEnd(token, code, null))
}

process.on('message', (message: ToHost) => {
  if (message.kind === 'start') {
    if (message.inspect) void startInspected(message)
    else start(message)
  } else if (running !== null && running.token === message.token) {
    if (message.kind === 'reply') running.worker.postMessage(message.payload)
    else void running.worker.terminate()
  }
})
// The runner is gone, however it went: nothing of it stays behind, nor do programs that a module has started.
process.on('disconnect', () => {
  try {
    process.kill(-process.pid, 'SIGKILL')
  } catch {
    process.exit(0)
  }
})
if (process.send === undefined) {
  process.stderr.write('this program is started by guestcert\n')
  process.exit(wrongUse)
}
