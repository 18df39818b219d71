import { z } from 'zod'
import { UnknownOutput } from '../../shared/unknown-output.js'
import type { Row } from '../ask.js'

/** What the script printed: all its rows, or why there are none. */
export type Answer =
  | { readonly rows: readonly Row[] }
  | { readonly error: { readonly id: string; readonly code: string; readonly message: string } }

const row = z.record(z.string(), z.union([z.string(), z.null(), z.array(z.string())]))
const error = z.object({ id: z.string(), code: z.string(), message: z.string() })

/**
 * Reads what the script printed: lines with the nonce, the last of which says how many rows there were, or what failed.
 * Throws {@link UnknownOutput} for anything else, such as an output that was cut off, or words of cscript itself.
 */
export function parseAnswer(output: string, nonce: string): Answer {
  const lines = output.split(/\r?\n/).filter(line => line !== '')
  const words = lines.map(line => {
    const [, kind, rest] = line.startsWith(`gc ${nonce} `)
      ? (/^(row|end|error) (.*)$/.exec(line.slice(nonce.length + 4)) ?? []).map(String)
      : []
    if (kind === undefined || rest === undefined) {
      throw new UnknownOutput('what cscript printed', output)
    }
    return { kind, rest }
  })
  const last = words.at(-1)
  const rows = words.slice(0, -1)
  if (last === undefined || rows.some(({ kind }) => kind !== 'row')) {
    throw new UnknownOutput('what cscript printed', output)
  }
  if (last.kind === 'error') {
    return { error: read(error, last.rest) }
  }
  if (last.kind !== 'end' || last.rest !== String(rows.length)) {
    throw new UnknownOutput('what cscript printed', output)
  }
  return { rows: rows.map(({ rest }) => read(row, rest)) }
}

function read<T>(schema: z.ZodType<T>, text: string): T {
  try {
    return schema.parse(JSON.parse(text))
  } catch {
    throw new UnknownOutput('what cscript printed', text)
  }
}
