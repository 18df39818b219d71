import { fileNameOf } from '../config/file-name.js'
import type { Suite } from '../plan/suite.js'
import type { PlannedTest } from '../plan/types.js'
import { type CommandResult, type Machine, NotCarriedOut, quote } from '../remote/index.js'
import type { Folded } from '../results/folded.js'
import { foldScript, type ScriptProtocol } from '../results/index.js'
import { worsen } from '../results/judge.js'
import { type EvidenceFile, stderrOf } from './evidence.js'
import { type Outcome, troubleOf } from './outcome.js'
import { diagnoseLoss, type GuestSession } from './session.js'
import { testVariables } from './variables.js'

/** Runs a script on the guest and folds what it left behind. Throws only when cancelled, or for a bug. */
export async function runScript(
  session: GuestSession,
  test: PlannedTest & { protocol: ScriptProtocol },
  suite: Suite,
  attempt: number,
  signal: AbortSignal,
): Promise<Outcome> {
  const { limits, evidence } = session.source
  const { machine } = session
  const name = `${fileNameOf(test.id)}.${attempt}`
  const [out, err] = [evidence(`${name}.stdout.txt`), evidence(`${name}.stderr.txt`)]
  let result: CommandResult
  try {
    result = await machine.run(scriptCommand(session.folder, suite, test.file), {
      signal,
      limitMs: test.limitMs,
      limitName: 'test',
      env: testVariables(session.source.environment, session, test),
      keepBytes: limits.output,
      onStdout: chunk => out.write(chunk),
      onStderr: chunk => err.write(chunk),
    })
  } catch (error) {
    const files = await closeAll(out, err)
    signal.throwIfAborted()
    if (error instanceof NotCarriedOut) {
      return notCarriedOut(test.protocol, error, files)
    }
    throw error
  }
  const files = await closeAll(out, err)
  signal.throwIfAborted()
  const ended = {
    stdout: result.stdout.bytes,
    exit: result.exit,
    truncated: result.stdout.truncated,
    undrained: result.undrained,
    ...(result.exit.kind === 'unproven' ? { contradiction: result.exit.why } : {}),
  }
  const folded = foldScript(test.protocol, ended, test.codes)
  const refined = await refine(session, machine, folded, signal)
  return { ...refined, ...(await stderrOf(err, refined)), evidence: files, exit: result.exit }
}

/** The guest answered, but not to this test; what comes next is run on an instance that answers. */
function notCarriedOut(
  protocol: ScriptProtocol,
  { exit, printed }: NotCarriedOut,
  evidence: Outcome['evidence'],
): Outcome {
  const {
    counts: _,
    facts: __,
    ...judged
  } = foldScript(protocol, {
    stdout: '',
    exit,
    truncated: false,
    beginning: { kind: 'missing', printed },
  })
  return { ...judged, checks: [], evidence, spoilt: true }
}

/** Adds what the engine knows and the output does not: what became of a guest that was lost or did not stop. */
async function refine(
  session: GuestSession,
  machine: Machine,
  folded: Folded,
  signal: AbortSignal,
): Promise<Omit<Outcome, 'evidence'>> {
  const { counts: _, facts: __, ...judged } = folded
  const checks = folded.checks.map(({ path, text, ...check }) => ({
    ...check,
    text: [...path, text].join(' > '),
  }))
  const isLost = machine.lost.aborted || session.source.health.broken.aborted
  if (!isLost) {
    return { ...judged, checks, spoilt: false }
  }
  const { error } = await diagnoseLoss(session, signal, machine)
  const outcome = { ...worsen(judged, { loss: troubleOf(error) }), checks, spoilt: true }
  return outcome.verdict === 'error' ? { ...outcome, trouble: error } : outcome
}

function scriptCommand(folder: string, suite: Suite, file: string): string {
  const interpreter = suite.files.find(({ path }) => path === file)?.interpreter ?? []
  const words = [...interpreter, `./${file}`].map(quote)
  return `cd ${quote(`${folder}/suites/${suite.id}`)} && exec ${words.join(' ')}`
}

async function closeAll(
  ...files: readonly EvidenceFile[]
): Promise<NonNullable<Awaited<ReturnType<EvidenceFile['close']>>>[]> {
  const closed = await Promise.all(files.map(file => file.close()))
  return closed.filter(file => file !== null)
}
