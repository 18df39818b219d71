import { join } from 'node:path'
import { UsageError } from '../config/errors.js'
import type { Host, Lab } from '../config/model.js'
import { nearest } from '../config/nearest.js'
import { packageVersion } from '../config/package-root.js'
import { slug } from '../lab/capture/capture.js'
import { captureHost } from '../lab/capture/host.js'
import { openDrivers } from '../run/drivers.js'
import { type CommandIo, type ParsedArgs, textFlag } from './args.js'
import { personaName, personasFolder, writePersona } from './capture-output.js'
import { cacheFolder } from './folders.js'
import { watchInterrupts } from './interrupts.js'

/** Captures the host that `--host` names. Throws UsageError or InfraError. */
export async function captureOneHost(lab: Lab, args: ParsedArgs, io: CommandIo): Promise<number> {
  const host = chooseHost(lab, textFlag(args, 'host'))
  const name = personaName(textFlag(args, 'name') ?? slug(host.id))
  const folder = personasFolder(lab, args, io)
  const interrupts = watchInterrupts(text => io.stderr.write(text), io.signal)
  const drivers = openDrivers(lab, cacheFolder())
  try {
    const signal = interrupts.any
    const shell = await drivers.driverOf(host).shell?.(signal)
    if (shell === undefined) {
      throw new UsageError(`host "${host.id}" has no connection to log in with`)
    }
    io.stderr.write(`${host.id}: capturing\n`)
    const { persona, warnings } = await captureHost({
      shell,
      host,
      name,
      limits: lab.limits,
      signal,
      program: `guestcert ${packageVersion()}`,
      now: new Date(),
    })
    for (const warning of warnings) {
      io.stderr.write(`${host.id}: ${warning}\n`)
    }
    await writePersona(join(folder, 'hosts', `${persona.name}.yaml`), persona.text, io)
    return 0
  } finally {
    await drivers.close()
    interrupts.close()
  }
}

/** Finds a host that can be captured. Throws UsageError. */
function chooseHost(lab: Lab, id: string | undefined): Host {
  const known = [...lab.hosts.keys()]
  if (id === undefined) {
    throw new UsageError('nothing to capture: name a guest, or a host with --host')
  }
  const host = lab.hosts.get(id)
  if (host === undefined) {
    const near = nearest(id, known)
    const hint = near === null ? `the lab has ${known.join(', ')}` : `did you mean "${near}"?`
    throw new UsageError(`unknown host "${id}": ${hint}`)
  }
  if (host.emulated !== undefined) {
    throw new UsageError(`host "${id}" is emulated: only a live host can be captured`)
  }
  if (host.driver.hostTool === undefined) {
    const message = `host "${id}" uses the driver ${host.driver.name}, whose hosts cannot be captured`
    throw new UsageError(message)
  }
  return host
}
