/**
 * The text of ssh_config(5): lines of a keyword and its words, and the files that they include. What the words mean is
 * decided in ssh-config.ts.
 */
import { readdir, readFile } from 'node:fs/promises'
import { basename, dirname, isAbsolute, join } from 'node:path'
import { matchesPattern } from './host-keys/known-hosts.js'
import { expandHome } from './secrets.js'

/** One line that says something. */
export interface ConfigLine {
  /** In lower case. */
  readonly keyword: string
  readonly words: readonly string[]
  /** What the files hold that an `Include` names. */
  readonly included: readonly (readonly ConfigLine[])[]
}

const deepestInclude = 16

/** Reads a file and all that it includes; one that is not there says nothing. Throws what reading throws. */
export async function readConfigFile(path: string, home: string, depth = 0): Promise<ConfigLine[]> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') {
      return ''
    }
    throw error
  })
  const lines: ConfigLine[] = []
  for (const raw of text.split(/\r?\n/)) {
    const parsed = parseLine(raw)
    if (parsed !== null) {
      const isInclude = parsed.keyword === 'include' && depth < deepestInclude
      const files = isInclude ? await filesOf(parsed.words, home) : []
      const included = await Promise.all(files.map(file => readConfigFile(file, home, depth + 1)))
      lines.push({ ...parsed, included })
    }
  }
  return lines
}

/** The keyword may be followed by blanks, or by one `=` with blanks around it. */
function parseLine(raw: string): Omit<ConfigLine, 'included'> | null {
  const [, keyword, rest = ''] = /^\s*([^\s=#"]+)(?:\s*=\s*|\s+)(.*?)\s*$/.exec(raw) ?? []
  return keyword === undefined ? null : { keyword: keyword.toLowerCase(), words: wordsOf(rest) }
}

/** Words as OpenSSH splits them: quotes of both kinds, a backslash before a quote, a blank or itself, and `#` for the rest. */
export function wordsOf(text: string): string[] {
  const words: string[] = []
  let word: string | null = null
  let quote: string | null = null
  for (let at = 0; at < text.length; at += 1) {
    const char = text.charAt(at)
    const next = text.charAt(at + 1)
    if (char === '\\' && (/["'\\]/.test(next) || (quote === null && next === ' '))) {
      word = (word ?? '') + next
      at += 1
    } else if (quote !== null) {
      ;[word, quote] = char === quote ? [word ?? '', null] : [(word ?? '') + char, quote]
    } else if (char === '"' || char === "'") {
      ;[word, quote] = [word ?? '', char]
    } else if (/\s/.test(char)) {
      words.push(...(word === null ? [] : [word]))
      word = null
    } else if (char === '#' && word === null) {
      break
    } else {
      word = (word ?? '') + char
    }
  }
  return word === null ? words : [...words, word]
}

/** Wildcards are understood in the last part of a path; what is relative stands in `~/.ssh`. */
async function filesOf(patterns: readonly string[], home: string): Promise<string[]> {
  const files: string[] = []
  for (const raw of patterns) {
    const expanded = expandHome(raw, home)
    const path = isAbsolute(expanded) ? expanded : join(home, '.ssh', expanded)
    const names = /[*?]/.test(basename(path))
      ? (await readdir(dirname(path)).catch(() => []))
          .filter(name => !name.startsWith('.') && matchesPattern(basename(path), name))
          .sort()
      : [basename(path)]
    files.push(...names.map(name => join(dirname(path), name)))
  }
  return files
}
