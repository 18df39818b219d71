import { createServer } from 'node:net'
import { InternalError } from '../errors.js'

/** Ports below those that Linux gives to outgoing connections, so that nothing takes one between two boots. */
const lowest = 10_240
const highest = 32_000
const span = highest - lowest
/** Processes that start one after the other begin this far apart: a guest that is down holds no port by itself. */
const stride = 257
const reserved = new Set<string>()
let next = (process.pid * stride) % span

/** Whether nothing listens there. */
function isFree(host: string, port: number): Promise<boolean> {
  return new Promise(resolve => {
    const probe = createServer()
    probe.once('error', () => resolve(false))
    probe.listen(port, host, () => probe.close(() => resolve(true)))
  })
}

/** Chooses a port on which nothing listens and keeps it for this process. Throws InternalError when all are taken. */
export async function reservePort(host: string, wanted: number): Promise<number> {
  if (wanted !== 0) {
    reserved.add(`${host}:${wanted}`)
    return wanted
  }
  for (let tries = 0; tries < 200; tries++) {
    const port = lowest + next
    next = (next + 1) % span
    const key = `${host}:${port}`
    if (reserved.has(key)) continue
    reserved.add(key)
    if (await isFree(host, port)) return port
    reserved.delete(key)
  }
  throw new InternalError(`no free port on ${host} for an emulated guest`)
}

export function releasePort(host: string, port: number): void {
  reserved.delete(`${host}:${port}`)
}
