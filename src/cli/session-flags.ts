import type { Lab } from '../config/model.js'
import type { Keep } from '../engine/settings.js'
import type { Plan } from '../plan/types.js'
import { createReporter } from '../reports/terminal/kinds.js'
import type { ReporterKind } from '../reports/terminal/names.js'
import type { RunRequest } from '../run/request.js'
import { type CommandIo, colorFlag, countFlag, isSet, type ParsedArgs, textFlag } from './args.js'
import { cacheFolder } from './folders.js'
import { loadsText } from './loads.js'
import { parseAgeMs } from './values.js'

/** What the flags say about how tests are carried out, and what is shown of it. */
export function sessionSettings(
  args: ParsedArgs,
  io: CommandIo,
  { lab, plan }: { readonly lab: Lab; readonly plan: Plan },
): Pick<
  RunRequest,
  | 'workspace'
  | 'cacheFolder'
  | 'reusesLab'
  | 'keep'
  | 'parallel'
  | 'retries'
  | 'failFast'
  | 'readerFor'
  | 'onHostLoads'
  | 'warn'
> {
  const parallel = countFlag(args, 'parallel') ?? lab.parallel
  const color = colorFlag(args)
  const kind = isSet(args, 'quiet') ? 'quiet' : ((textFlag(args, 'reporter') ?? 'auto') as ReporterKind)
  return {
    workspace: io.cwd,
    cacheFolder: cacheFolder(),
    reusesLab: true,
    keep: (textFlag(args, 'keep') ?? 'never') as Keep,
    parallel,
    retries: countFlag(args, 'retries') ?? lab.retries,
    failFast: isSet(args, 'fail-fast'),
    readerFor: (folder, fold) =>
      createReporter({
        kind,
        stream: io.stdout,
        env: io.env,
        plan,
        fold,
        parallel,
        folder,
        ...(color === undefined ? {} : { color }),
      }),
    onHostLoads: loads => io.stderr.write(loadsText(loads, lab)),
    warn: text => io.stderr.write(`guestcert: ${text}\n`),
  }
}

/** The lab with the limit of a whole run that `--run-limit` names. */
export function withRunLimit(args: ParsedArgs, lab: Lab): Lab {
  const run = parseAgeMs(textFlag(args, 'run-limit') ?? '')
  return run === null ? lab : { ...lab, limits: { ...lab.limits, run } }
}
