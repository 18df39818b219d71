const longestValue = 100
const keys: readonly (readonly [word: string, pattern: RegExp])[] = [
  ['got', /^(?:got|found|actual|received):[ \t]*(.*)$/m],
  ['expected', /^(?:wanted|expected):[ \t]*(.*)$/m],
]

/**
 * A failed check in one line that says alone what is wrong: `not ok: NAME: got 7 ms, expected less than 5 ms`. The
 * values are taken from diagnostics that name them; of a value of several lines, the first is shown.
 */
export function describeCheck(name: string, diagnostics = ''): string {
  const values = keys.flatMap(([word, pattern]) => {
    const value = valueIn(diagnostics, pattern)
    return value === null ? [] : [`${word} ${value}`]
  })
  const what = `not ok: ${name || 'without a text'}`
  return values.length === 0 ? what : `${what}: ${values.join(', ')}`
}

function valueIn(diagnostics: string, pattern: RegExp): string | null {
  const found = pattern.exec(diagnostics)
  if (found === null) {
    return null
  }
  const [whole, text = ''] = found
  const rest = diagnostics.slice(found.index + whole.length + 1)
  // YAML's block: its lines are indented.
  const block = /^[|>][-+0-9]*$/.test(text.trim()) ? (/^[ \t]+\S.*$/m.exec(rest)?.[0] ?? '') : null
  const line = (block ?? unquoted(text.trim())).trim()
  const shown = line.length > longestValue ? `${line.slice(0, longestValue)}…` : line
  return /^[ \t]/.test(rest) && !shown.endsWith('…') ? `${shown} …` : shown
}

/** Without the quotes that YAML or a module puts around a text; those around nothing, or blanks, are kept. */
function unquoted(text: string): string {
  const inner = /^'(.*)'$/s.exec(text)?.[1] ?? /^"(.*)"$/s.exec(text)?.[1]
  return inner === undefined || inner.trim() !== inner || inner === '' ? text : inner.replaceAll("''", "'")
}
