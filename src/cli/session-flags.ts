import { resolve } from 'node:path'
import { UsageError } from '../config/errors.js'
import type { Lab } from '../config/model.js'
import type { History } from '../engine/estimate.js'
import type { Keep } from '../engine/settings.js'
import type { Plan } from '../plan/types.js'
import { isReporterFile, loadReporter } from '../reports/custom/load.js'
import { outputReader } from '../reports/output-reader.js'
import { readOutput } from '../reports/outputs.js'
import { createReporter } from '../reports/terminal/kinds.js'
import { type ReporterKind, reporterKinds } from '../reports/terminal/names.js'
import type { RunRequest } from '../run/request.js'
import { type CommandIo, colorFlag, countFlag, isSet, listFlag, type ParsedArgs, textFlag } from './args.js'
import { cacheFolder } from './folders.js'
import { loadsText } from './loads.js'
import { either, parseAgeMs } from './values.js'

/** What the flags say about how tests are carried out, and what is shown of it. @throws UsageError */
export async function sessionSettings(
  args: ParsedArgs,
  io: CommandIo,
  { lab, plan, history }: { readonly lab: Lab; readonly plan: Plan; readonly history: History },
): Promise<
  Pick<
    RunRequest,
    | 'workspace'
    | 'cacheFolder'
    | 'reusesLab'
    | 'keep'
    | 'parallel'
    | 'retries'
    | 'failFast'
    | 'readersFor'
    | 'onHostLoads'
    | 'warn'
  >
> {
  const parallel = countFlag(args, 'parallel') ?? lab.parallel
  const color = colorFlag(args)
  const { kind, files } = reportersOf(args)
  const { limits } = plan
  const reporters = await Promise.all(files.map(file => loadReporter(resolve(io.cwd, file), limits.report)))
  const wanted = [...alwaysWritten, ...listFlag(args, 'to')].map(text => readOutput(text, io.cwd))
  const print = (text: string): unknown => io.stdout.write(text)
  return {
    workspace: io.cwd,
    cacheFolder: cacheFolder(),
    reusesLab: true,
    keep: (textFlag(args, 'keep') ?? 'never') as Keep,
    parallel,
    retries: countFlag(args, 'retries') ?? lab.retries,
    failFast: isSet(args, 'fail-fast'),
    readersFor: (folder, fold) => [
      ...reporters.map(make => make({ plan, folder, print })),
      outputReader({ wanted, fold, folder, workspace: io.cwd, env: io.env, print, limitMs: limits.report }),
      // The last one: it says how all ended.
      createReporter({
        kind,
        stream: io.stdout,
        env: io.env,
        plan,
        fold,
        parallel,
        folder,
        capacityOf: host => lab.hosts.get(host)?.capacity,
        expectations: (environment, test) =>
          history.tests.get(`${environment} ${test}`) ?? history.anywhere.get(test),
        ...(color === undefined ? {} : { color }),
      }),
    ],
    onHostLoads: loads => io.stderr.write(loadsText(loads, lab)),
    warn: text => io.stderr.write(`guestcert: ${text}\n`),
  }
}

/** What every run leaves in its folder beside JUnit and `summary.json`. */
export const alwaysWritten: readonly string[] = ['html']

/** What is shown on standard output, and the files of reporters of one's own. */
function reportersOf(args: ParsedArgs): { readonly kind: ReporterKind; readonly files: readonly string[] } {
  const named = listFlag(args, 'reporter')
  const files = named.filter(isReporterFile)
  const kinds = named.filter(name => !isReporterFile(name))
  const unknown = kinds.find(name => !reporterKinds.some(kind => kind === name))
  if (unknown !== undefined) {
    throw new UsageError(`--reporter must be ${either(reporterKinds)}, or a file, not "${unknown}"`)
  }
  const kind = isSet(args, 'json') ? 'json' : isSet(args, 'quiet') ? 'quiet' : kinds.at(-1)
  return { kind: (kind ?? 'auto') as ReporterKind, files }
}

/** The lab with the limit of a whole run that `--run-limit` names. */
export function withRunLimit(args: ParsedArgs, lab: Lab): Lab {
  const run = parseAgeMs(textFlag(args, 'run-limit') ?? '')
  return run === null ? lab : { ...lab, limits: { ...lab.limits, run } }
}
