import { InternalError } from '../config/errors.js'
import { fileNameOf } from '../config/file-name.js'
import type { Evidence } from '../journal/events.js'
import type { ModuleCode, Suite } from '../plan/suite.js'
import type { PlannedTest } from '../plan/types.js'
import { judge } from '../results/judge.js'
import { environmentFor } from './api-environment.js'
import { guestFor } from './api-guest.js'
import { hostFor } from './api-host.js'
import { type EvidenceFile, stderrOf } from './evidence.js'
import { type ModuleFacts, runAttempt } from './modules/attempt.js'
import { CallServer } from './modules/call-server.js'
import { confirmGuest } from './modules/confirm.js'
import { observedOf } from './modules/observed.js'
import { type Outcome, troubleOf } from './outcome.js'
import { confirmPeer, type PeerInUse, peerFor, usePeer } from './peer-guest.js'
import type { GuestSession } from './session.js'
import type { RunSettings } from './settings.js'
import { powerOnStep, type Undone, UndoStack } from './undo.js'

/** Runs a test module against the guest, in a process of its own. Throws only when the run is stopped. */
export async function runModule(
  session: GuestSession,
  test: PlannedTest,
  suite: Suite,
  attempt: number,
  settings: RunSettings,
): Promise<Outcome> {
  const { stop } = settings
  const name = `${fileNameOf(test.id)}.${attempt}`
  const files = {
    commands: session.source.evidence(`${name}.commands.txt`),
    peer: session.source.evidence(`${name}.peer-commands.txt`),
    stdout: session.source.evidence(`${name}.stdout.txt`),
    stderr: session.source.evidence(`${name}.stderr.txt`),
  }
  const peer = test.peer === true ? await usePeer(session, settings) : null
  let evidence: Evidence[] | null = null
  try {
    const undo = new UndoStack()
    const attached: Attached = new Map()
    const facts = await observe({ session, peer, test, suite, name, files, attached, undo, settings })
    const undone = await undoAll(session, undo, files.commands)
    stop.throwIfAborted()
    const { seen, spoilt, trouble } = observedOf(facts)
    // A reboot that was asked for and not seen has closed its connection itself: that is no loss.
    const isUnprovenReboot = trouble?.context.code === 'reboot'
    const wasLeftOff = undone.names.includes(powerOnStep)
    const loss = isUnprovenReboot || wasLeftOff ? null : await confirmGuest(session, stop)
    stop.throwIfAborted()
    const peerLoss = peer === null ? null : await confirmPeer(peer, stop)
    evidence = await closeAll(files, attached)
    const { checks, measures } = facts
    const judgement = judge({
      ...seen,
      ...(wasLeftOff ? { improperEnd: 'the module left the guest switched off' } : {}),
      ...(loss === null ? {} : { loss: troubleOf(loss) }),
      ...(peerLoss === null ? {} : { peer: troubleOf(peerLoss) }),
    })
    const isSpoilt = spoilt || loss !== null || peerLoss !== null || wasLeftOff || undone.left !== null
    const stderr = await stderrOf(files.stderr, judgement)
    const outcome = { ...judgement, ...stderr, checks, measures, evidence, spoilt: isSpoilt }
    const mended = peerLoss ?? loss ?? trouble
    const hasTrouble =
      mended !== undefined && outcome.verdict === 'error' && outcome.cause === mended.context.cause
    return hasTrouble && outcome.cause !== 'unknown' ? { ...outcome, trouble: mended } : outcome
  } finally {
    if (evidence === null) await closeAll(files, new Map())
  }
}

type Files = Readonly<Record<'commands' | 'peer' | 'stdout' | 'stderr', EvidenceFile>>

/** What a module attached, by the name of its file. */
type Attached = Map<string, EvidenceFile>

interface ObserveRequest {
  readonly session: GuestSession
  readonly peer: PeerInUse | null
  readonly test: PlannedTest
  readonly suite: Suite
  /** What the names of its evidence begin with. */
  readonly name: string
  readonly files: Files
  readonly attached: Attached
  readonly undo: UndoStack
  readonly settings: RunSettings
}

async function observe(request: ObserveRequest): Promise<ModuleFacts> {
  const { session, peer, test, suite, files, undo } = request
  const { modules, stop, inspect } = request.settings
  const { environment, health, limits } = session.source
  const calls = new AbortController()
  const guest = guestFor(session, test, files.commands, calls.signal, undo)
  const host = hostFor(session, calls.signal, test, undo)
  const second = peer === null ? {} : peerFor(peer, test, files.peer, calls.signal, undo)
  const own = environment.guest.family
  const peerFamily = peer?.session.source.environment.guest.family ?? null
  const families = { guest: own, host: own, peer: peerFamily ?? own }
  const units = suite.tests.find(({ id }) => id === test.id)?.measures ?? {}
  const process = modules.take()
  let endedWell = false
  try {
    const facts = await runAttempt({
      process,
      start: {
        test: test.id,
        parameters: test.parameters ?? {},
        code: codeOf(suite, test),
        environment: environmentFor(environment),
        peerFamily,
        values: { guest: valuesOf(guest), host: valuesOf(host), peer: valuesOf(second) },
        measures: Object.keys(units),
        endMs: limits.moduleEnd,
        inspect: inspect !== undefined,
      },
      units,
      limits: {
        start: inspect === undefined ? limits.moduleStart : Number.POSITIVE_INFINITY,
        test: inspect === undefined ? test.limitMs : Number.POSITIVE_INFINITY,
        memory: limits.moduleMemory,
        stop: limits.moduleEnd,
      },
      stop,
      broken: health.broken,
      serve: ({ reply }) => new CallServer({ guest, host, peer: second }, families, reply),
      output: (stream, bytes) => void files[stream].write(bytes),
      attach: (name, bytes) => attach(request, name, bytes),
      debuggerAt: url => inspect?.(test.id, url),
      abortCalls: reason => calls.abort(reason),
    })
    endedWell = facts.thread?.kind === 'thread' && inspect === undefined
    return facts
  } finally {
    modules.giveBack(process, endedWell)
  }
}

/** Each name is one file; what is attached to it again is added at its end. */
function attach({ session, name, attached }: ObserveRequest, what: string, bytes: Buffer): void {
  const file = attached.get(what) ?? session.source.evidence(`${name}.${fileNameOf(what)}`)
  attached.set(what, file)
  void file.write(bytes)
}

/** Undoes what the module did to its guest and host and left so; what could not be undone is said in its evidence. */
async function undoAll({ source }: GuestSession, undo: UndoStack, log: EvidenceFile): Promise<Undone> {
  if (source.health.broken.aborted) {
    source.held.end()
    return { names: [], left: null }
  }
  const undone = await undo.undoAll(source.limits.undo)
  source.held.end()
  if (undone.left !== null) {
    await log.write(Buffer.from(`--- could not be undone: ${undone.left}\n`))
  }
  return undone
}

/** The plain properties of what the API shows; its methods are carried out here. */
function valuesOf(object: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => typeof value !== 'function'))
}

function codeOf(suite: Suite, test: PlannedTest): ModuleCode {
  const code = suite.modules.get(test.file)
  if (code === undefined) {
    throw new InternalError(`${suite.manifest}: ${test.file} was not compiled`)
  }
  return code
}

async function closeAll(files: Files, attached: Attached): Promise<Evidence[]> {
  const all = [...Object.values(files), ...attached.values()]
  const closed = await Promise.all(all.map(file => file.close()))
  return closed.filter(file => file !== null)
}
