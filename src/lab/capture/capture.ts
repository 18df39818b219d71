import { randomBytes } from 'node:crypto'
import { connect } from 'node:net'
import type { Duplex } from 'node:stream'
import { InfraError, UsageError } from '../../config/errors.js'
import type { Limits } from '../../config/limits.js'
import type { Endpoint, Guest, Host, Placement } from '../../config/model.js'
import { deadlineSignal } from '../../deadline/deadline.js'
import type { Machine } from '../../remote/index.js'
import { makeScrub } from '../../text/scrub.js'
import { type KeyExchange, readKeyExchange } from './key-exchange.js'
import { guestPersona, hostPersona } from './personas.js'
import { type Answers, probeScript, readAnswers, textOf, wordOf } from './probe.js'
import { sshFacts } from './ssh.js'
import { hypervisorOf, type Subject } from './subject.js'
import { personaYaml } from './yaml.js'

/** A guest that answers, and what is known of it beforehand. */
export interface CaptureRequest {
  readonly machine: Machine
  readonly endpoint: Endpoint
  /** Reached through its host alone. */
  readonly isInside: boolean
  readonly guest: Guest
  readonly host: Host
  readonly placement: Placement
  /** What the guest's persona shall be called. */
  readonly name: string
  readonly limits: Limits
  readonly signal: AbortSignal
  /** From its start until it answered, in ms; `null` of a guest that ran already. */
  readonly bootedInMs: number | null
  /** `guestcert 1.2.3`, for the head of the files. */
  readonly program: string
  readonly now: Date
}

/** One file of a persona. */
export interface PersonaFile {
  readonly name: string
  readonly text: string
}

/** What came of a capture. */
export interface Captured {
  readonly guest: PersonaFile
  /** What the guest saw of its hypervisor; `null` where it saw none. */
  readonly host: PersonaFile | null
  /** What could not be read, for people. */
  readonly warnings: readonly string[]
}

/** Reads a live guest and makes personas of it. Throws InfraError when the guest cannot be asked. */
export async function capture(request: CaptureRequest): Promise<Captured> {
  const answers = await ask(request)
  const ssh = await offerOf(request, answers)
  return makePersonas(request, answers, ssh)
}

/** Makes the personas of what was learnt; pure. Throws UsageError for a guest that a persona cannot describe. */
export function makePersonas(
  request: Pick<CaptureRequest, 'guest' | 'host' | 'placement' | 'name' | 'bootedInMs' | 'program' | 'now'>,
  answers: Answers,
  ssh: KeyExchange,
): Captured {
  const arch = wordOf(answers, 'uname-m')
  if (arch !== 'x86_64') {
    throw new UsageError(
      `guest "${request.guest.id}" is ${arch || 'of no known architecture'}: personas are x86_64`,
    )
  }
  const { guest, host, placement } = request
  const id = /^ID="?([\w.-]+)"?$/m.exec(textOf(answers, 'file /etc/os-release'))?.[1] ?? guest.product
  const scrub = makeScrub([wordOf(answers, 'uname-n')], [id, guest.product])
  const subject: Subject = { guest, host, placement, answers, ssh, scrub }
  const { fact, left } = sshFacts(subject)
  const hypervisor = hypervisorOf(subject)
  const hostName = slug(`${host.product}-${host.version}`)
  const kernel = wordOf(answers, 'uname-r')
  const head = [
    `Captured by ${request.program} on ${request.now.toISOString().slice(0, 10)} from a live guest:`,
    `${guest.product} ${guest.version}, kernel ${kernel}, on ${host.product} ${host.version} in the configuration`,
    `${placement.configuration.name}.`,
    ...(request.bootedInMs === null
      ? []
      : [`It answered ${(request.bootedInMs / 1000).toFixed(1)} s after it was started.`]),
    'Without addresses, host names, keys, serial numbers, UUIDs and machine ids. Made anew with "guestcert capture".',
  ]
  const notes =
    left.length === 0 ? {} : { 'ssh algorithms': `Also offered, and not played: ${left.join(', ')}` }
  return {
    guest: {
      name: request.name,
      text: personaYaml(guestPersona(request.name, subject, { fact, left }), head, notes),
    },
    host:
      hypervisor === 'none'
        ? null
        : { name: hostName, text: personaYaml(hostPersona(hostName, subject), head) },
    warnings: warningsOf(answers),
  }
}

async function ask({ machine, limits, signal }: CaptureRequest): Promise<Answers> {
  const mark = `gc-${randomBytes(12).toString('hex')}`
  // Servers take command lines of a few thousand characters only (dropbear: 9000), and standard input of any length.
  const { exit, stdout, stderr } = await machine.run('eval "$(cat)"', {
    stdin: Buffer.from(probeScript(mark)),
    signal,
    limitMs: limits.test,
    limitName: 'test',
  })
  signal.throwIfAborted()
  const answers = stdout.truncated ? null : readAnswers(stdout.text, mark)
  if (exit.kind !== 'code' || answers === null) {
    const how = exit.kind === 'code' ? 'its answer is not whole' : `it ended by ${exit.kind}`
    throw new InfraError(
      `${machine.label}: the guest could not be read: ${how} ${stderr.text.slice(-200)}`.trim(),
      {
        cause: machine.lost.aborted ? 'network' : 'guest',
        where: machine.label,
        code: machine.lost.aborted ? 'lost' : 'command',
      },
    )
  }
  return answers
}

/** Asks the server on a connection of its own: directly, or from inside the guest where jumps lead there. */
async function offerOf(
  { machine, endpoint, isInside, limits, signal }: CaptureRequest,
  answers: Answers,
): Promise<KeyExchange> {
  const deadline = { name: 'handshake', ms: limits.handshake, where: machine.label, signal }
  const { signal: until, isReached, clear } = deadlineSignal(deadline)
  try {
    const stream =
      endpoint.jumps.length === 0 && !isInside
        ? await dial(endpoint, until)
        : await machine.forward('127.0.0.1', serverPort(answers))
    return await readKeyExchange(stream, until)
  } catch (error) {
    signal.throwIfAborted()
    const what = isReached() ? until.reason : error
    const why = what instanceof Error ? what.message : String(what)
    throw new InfraError(`${machine.label}: the SSH server's offer could not be read: ${why}`, {
      cause: 'network',
      where: machine.label,
      code: 'handshake',
      ...(isReached() ? { limit: 'handshake' } : {}),
    })
  } finally {
    clear()
  }
}

const standardPort = 22

/** The port that the guest's own server listens on, which is not the one that leads to it from outside. */
function serverPort(answers: Answers): number {
  const port = Number(wordOf(answers, 'connection').split(' ')[3] ?? Number.NaN)
  return Number.isInteger(port) ? port : standardPort
}

function dial({ host, port }: Endpoint, signal: AbortSignal): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, signal })
    socket.once('connect', () => resolve(socket))
    socket.once('error', reject)
  })
}

/** What a capture cannot do without, and who may read it. */
function warningsOf(answers: Answers): string[] {
  const warnings = wordOf(answers, 'who') === '0' ? [] : ['not root: what only root may read is missing']
  const wanted = {
    log: "the kernel's log",
    sshd: "the SSH server's settings",
    symbols: "the kernel's symbols",
  }
  return [
    ...warnings,
    ...Object.entries(wanted)
      .filter(([question]) => textOf(answers, question) === '')
      .map(([, what]) => `${what} could not be read`),
  ]
}

/** A persona's name: lower-case letters, digits, dots and dashes. */
export function slug(text: string): string {
  return text
    .toLowerCase()
    .replace(/[^a-z0-9.]+/g, '-')
    .replace(/^[^a-z0-9]+|-+$/g, '')
}
