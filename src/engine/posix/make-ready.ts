import { createHash } from 'node:crypto'
import { InfraError } from '../../config/errors.js'
import { type BootIdentity, bootIdentityCommand, parseBootIdentity } from '../../guests/boot-identity.js'
import { linuxFactsCommand, parseFacts } from '../../guests/facts.js'
import { chooseRoom, describeRooms, parseRooms, roomCommand, usualFolder } from '../../guests/room.js'
import { parseFreeBytes } from '../../hypervisors/seen.js'
import { canonical } from '../../plan/digest.js'
import {
  type CommandResult,
  type Machine,
  parseSweep,
  quote,
  sweepCommand,
  type UploadWay,
} from '../../remote/index.js'
import type { OpenRequest } from '../open-session.js'
import { payloadFor } from '../payload.js'
import { GuestSession, type SessionSource } from '../session.js'

const [identityFollows, factsFollow, roomFollows] = [
  '--guestcert identity--',
  '--guestcert facts--',
  '--guestcert room--',
]
/** What tests of ours write beside the suites' files: `core/disk-verify` wants 16 MiB. */
const scratchBytes = 32 * 2 ** 20
const notCarried = 90

/**
 * Sweeps what earlier runs left, carries the suites' files and reads facts and boot identity, all in one command; two
 * more find another folder or way on a guest that has less than others. Throws InfraError.
 */
export async function makeReady(
  source: SessionSource,
  machine: Machine,
  request: OpenRequest,
  mark: string,
): Promise<GuestSession> {
  request.boot.waitFor('payload')
  const usual = await tryIn(usualFolder, 'tar', machine, request, mark)
  const free = freeBytesIn(usual)
  const isPoor = isCode(usual, notCarried) || (isCode(usual, 0) && free !== null && free < scratchBytes)
  const result = isPoor
    ? await tryElsewhere(usual, machine, request, mark)
    : { folder: usualFolder, ...usual }
  return sessionOf(source, machine, request, result)
}

interface Tried extends CommandResult {
  /** The folder above that of this instance. */
  readonly folder: string
}

/** Finds a folder and a way for a guest that has less than others. Throws InfraError, cause guest, when there is none. */
async function tryElsewhere(
  usual: CommandResult,
  machine: Machine,
  request: OpenRequest,
  mark: string,
): Promise<Tried> {
  const { limits, signal, instance } = request
  const looked = await machine.run(`rm -rf ${usualFolder}/${instance} 2>/dev/null\n${roomCommand}`, {
    signal,
    limitMs: limits.command,
  })
  const { rooms, tools } = parseRooms(looked.stdout.text)
  const stdin = (await payloadFor(request.environment, request.suites, '/')).stdin.length
  const room = chooseRoom(rooms, stdin + scratchBytes) ?? chooseRoom(rooms, 2 * stdin)
  const way: UploadWay | null = tools.has('tar') ? 'tar' : tools.has('printf') ? 'printf' : null
  if (room === null || way === null) {
    request.boot.begin('payload')
    const said = firstWords(usual.stderr.text)
    const what = way === null ? 'it has neither tar nor printf' : describeRooms(rooms)
    throw new InfraError(
      `${machine.label}: the suites' files cannot be put on the guest: ${what}${said === '' ? '' : ` (${said})`}`,
      {
        cause: machine.lost.aborted ? 'network' : 'guest',
        where: instance,
        code: machine.lost.aborted ? 'lost' : 'transfer',
      },
    )
  }
  return { folder: room.folder, ...(await tryIn(room.folder, way, machine, request, mark)) }
}

async function tryIn(
  above: string,
  way: UploadWay,
  machine: Machine,
  { environment, instance, suites, limits, signal }: OpenRequest,
  mark: string,
): Promise<CommandResult> {
  const folder = quote(`${above}/${instance}`)
  const payload = await payloadFor(environment, suites, `${above}/${instance}`, way)
  const command = [
    `${sweepCommand({ mark })} </dev/null`,
    `${payload.command} && (umask 077 && mkdir -p ${folder}/scratch) || exit ${notCarried}`,
    `echo "${identityFollows}"`,
    bootIdentityCommand,
    `echo "${factsFollow}"`,
    linuxFactsCommand,
    `echo "${roomFollows}"`,
    `df -Pk ${quote(above)} 2>/dev/null||:`,
  ].join('\n')
  return await machine.run(command, {
    signal,
    stdin: payload.stdin,
    limitMs: limits.transfer,
    limitName: 'transfer',
  })
}

function freeBytesIn({ stdout }: CommandResult): number | null {
  return parseFreeBytes(stdout.text.split(`${roomFollows}\n`)[1] ?? '')
}

function isCode({ exit }: CommandResult, code: number): boolean {
  return exit.kind === 'code' && exit.code === code
}

function sessionOf(
  source: SessionSource,
  machine: Machine,
  { instance, signal, boot }: OpenRequest,
  { folder: above, exit, stdout, stderr }: Tried,
): GuestSession {
  boot.begin('facts')
  signal.throwIfAborted()
  const [swept = '', after = ''] = stdout.text.split(`${identityFollows}\n`)
  const [identityText = '', rest] = after.split(`${factsFollow}\n`)
  const factsText = rest?.split(`${roomFollows}\n`)[0]
  const identity: BootIdentity | null = parseBootIdentity(identityText, performance.now())
  const left = parseSweep(swept)?.left
  if (
    exit.kind !== 'code' ||
    exit.code !== 0 ||
    factsText === undefined ||
    identity === null ||
    left?.length !== 0
  ) {
    // Only with the mark of the facts was everything before them done.
    boot.begin(after.includes(factsFollow) ? 'facts' : 'payload')
    const said = firstWords(stderr.text) || firstWords(stdout.text)
    const how = exit.kind === 'code' ? `status ${exit.code}` : exit.kind === 'unproven' ? exit.why : exit.kind
    const what =
      left !== undefined && left.length > 0 ? `processes of an earlier run remain: ${left.join(' ')}` : how
    throw new InfraError(
      `${machine.label}: the guest could not be made ready: ${[what, said].filter(Boolean).join(': ')}`,
      {
        cause: machine.lost.aborted ? 'network' : 'guest',
        where: instance,
        code: machine.lost.aborted ? 'lost' : 'transfer',
      },
    )
  }
  const facts = { ...parseFacts(factsText), ...source.running.facts }
  const factsDigest = createHash('sha256').update(canonical(facts)).digest('hex')
  return new GuestSession(source, { machine, identity, folder: `${above}/${instance}`, facts, factsDigest })
}

const mostLines = 3

/** What the guest said first: what goes wrong first has the rest for its consequence. */
function firstWords(text: string): string {
  const lines = text.split('\n').map(line => line.trim())
  return lines
    .filter(line => line !== '')
    .slice(0, mostLines)
    .join(' | ')
}
