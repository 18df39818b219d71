import { createInterface } from 'node:readline'
import { ZodError } from 'zod'
import { ConfigError, UsageError } from './errors.js'
import { startEmulatedLab } from './lab.js'
import { publishedSchema } from './published.js'
import { publishedFingerprints } from './server/host-key.js'
import type { EmulatedLabSpec } from './spec.js'

/**
 * The emulated lab as a process of its own: reads one line of JSON (an EmulatedLabSpec), prints one line of JSON with
 * the addresses, and runs until its standard input ends or SIGTERM comes. So it never outlives whoever started it,
 * unless the spec says `lasting`. With `--schema FOLDER` it prints what it can be asked for instead, and with `--host-keys`
 * the fingerprints by which its machines are known.
 */
async function main(): Promise<void> {
  const [flag, folder] = process.argv.slice(2)
  if (flag === '--schema' && folder !== undefined) {
    process.stdout.write(`${JSON.stringify(publishedSchema(folder), null, 2)}\n`)
    return
  }
  if (flag === '--host-keys') {
    process.stdout.write(`${JSON.stringify({ hostKeys: publishedFingerprints() }, null, 2)}\n`)
    return
  }
  const lines = createInterface({ input: process.stdin })
  const inputEnded = new Promise<void>(resolve => lines.once('close', resolve))
  const signalled = new Promise<void>(resolve => {
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.once(signal, () => resolve())
  })
  const first = new Promise<string>(resolve => lines.once('line', resolve))
  const line = await Promise.race([first, inputEnded, signalled])
  if (line === undefined) return
  requirePackages()
  const spec = JSON.parse(line) as EmulatedLabSpec
  const lab = await startEmulatedLab(spec)
  process.stdout.on('error', () => {})
  const guests = lab.guests.map(({ name, host, port, hostKeyFingerprint }) => ({
    name,
    host,
    port,
    hostKeyFingerprint,
  }))
  const hosts = lab.hosts.map(({ machine, guestKeys, api }) => ({
    name: machine.name,
    host: machine.host,
    port: machine.port,
    hostKeyFingerprint: machine.hostKeyFingerprint,
    ...(api === undefined ? {} : { api: { port: api.port, certificate: api.certificate } }),
    vms: [...guestKeys].map(([name, { fingerprint }]) => ({ name, hostKeyFingerprint: fingerprint })),
  }))
  process.stdout.write(`${JSON.stringify({ pid: process.pid, guests, hosts })}\n`)
  await (spec.lasting ? signalled : Promise.race([inputEnded, signalled]))
  // The last word: what each host bore, by its own count.
  const loads = lab.hosts.map(({ machine, most }) => ({ name: machine.name, ...most }))
  process.stdout.write(`${JSON.stringify({ loads })}\n`)
  await lab.close()
}

/** Throws UsageError where a package is missing that is not installed with guestcert alone. */
function requirePackages(): void {
  try {
    import.meta.resolve('just-bash')
  } catch {
    throw new UsageError(
      'the lab has emulated machines, which need the optional package just-bash: install it with "npm install just-bash"',
    )
  }
}

main().then(
  () => process.exit(0),
  (error: unknown) => {
    const message = error instanceof Error ? error.message : String(error)
    const isRefusal = error instanceof UsageError || error instanceof ConfigError || error instanceof ZodError
    // Whoever asked is answered on standard output; what is a fault of ours is for people.
    if (isRefusal) process.stdout.write(`${JSON.stringify({ refused: message })}\n`, () => process.exit(2))
    else process.stderr.write(`${message}\n`, () => process.exit(4))
  },
)
