import { safeJson } from '../../text/json.js'
import type { ReporterKind } from './names.js'
import { createTerminalReporter, type Reporter, type TerminalOptions } from './reporter.js'
import { canRedraw, showsUnicode, wantsColor } from './style.js'

/** What a reporter needs to know of the process around it. */
export interface ReporterSettings
  extends Pick<
    TerminalOptions,
    'stream' | 'plan' | 'fold' | 'parallel' | 'folder' | 'capacityOf' | 'expectations' | 'now'
  > {
  readonly kind: ReporterKind
  readonly env: Readonly<Record<string, string | undefined>>
  /** What the command line says about colours, if it says anything. */
  readonly color?: boolean
}

/** Makes the reporter of a kind; `json` writes the journal's events, one line each, and nothing else. */
export function createReporter({ kind, env, color: flag, ...options }: ReporterSettings): Reporter {
  const { stream } = options
  if (kind === 'json') {
    return {
      event: event => stream.write(`${safeJson(event)}\n`),
      end: () => undefined,
    }
  }
  const wish = { isTTY: stream.isTTY === true, env, ...(flag === undefined ? {} : { flag }) }
  const color = kind !== 'plain' && wantsColor(wish)
  const unicode = kind !== 'plain' && showsUnicode(env)
  const live = kind === 'auto' && stream.isTTY === true && stream.window !== undefined && canRedraw(env)
  const timed = kind === 'plain' || (kind === 'auto' && (stream.isTTY !== true || !canRedraw(env)))
  return createTerminalReporter({ ...options, color, unicode, live, timed, quiet: kind === 'quiet' })
}
