/** What stands after a backtick. See about_Special_Characters. */
const escapes: Readonly<Record<string, string>> = {
  n: '\n',
  r: '\r',
  t: '\t',
  '0': '\0',
  a: '\x07',
  b: '\b',
  f: '\f',
  v: '\v',
}

export function unescaped(character: string): string {
  return escapes[character] ?? character
}

/** PowerShell takes typographic quotes for quotes. See about_Quoting_Rules. */
export const isSingleQuote = (character: string): boolean => /['\u2018\u2019\u201a\u201b]/.test(character)
export const isDoubleQuote = (character: string): boolean => /["\u201c\u201d\u201e]/.test(character)
