import picocolors from 'picocolors'
import type { Verdict } from '../../journal/events.js'

/** What decides whether colours are used. */
export interface ColorWish {
  readonly isTTY: boolean
  readonly env: Readonly<Record<string, string | undefined>>
  /** What the command line says, if it says anything. */
  readonly flag?: boolean
}

/** Colours go to terminals, and where they are forced; the command line and NO_COLOR (no-color.org) forbid them. */
export function wantsColor({ isTTY, env, flag }: ColorWish): boolean {
  if (flag !== undefined) return flag
  if ((env.NO_COLOR ?? '') !== '') return false
  const forced = env.FORCE_COLOR ?? ''
  if (forced !== '') return forced !== '0'
  return isTTY && env.TERM !== 'dumb'
}

/** Whether a terminal may be redrawn in place: none that is dumb, and none that a CI system only records. */
export function canRedraw(env: Readonly<Record<string, string | undefined>>): boolean {
  const ci = env.CI ?? ''
  return env.TERM !== 'dumb' && (ci === '' || ci === '0' || ci.toLowerCase() === 'false')
}

/** Whether the locale (POSIX: LC_ALL, LC_CTYPE, LANG, in this order) shows more than ASCII. */
export function showsUnicode(env: Readonly<Record<string, string | undefined>>): boolean {
  const locale = [env.LC_ALL, env.LC_CTYPE, env.LANG].find(value => value !== undefined && value !== '')
  return env.TERM !== 'dumb' && env.TERM !== 'linux' && (locale === undefined || /utf-?8/i.test(locale))
}

type Paint = (text: string) => string

/** How verdicts and words are drawn. */
export interface Style {
  readonly bold: Paint
  readonly dim: Paint
  readonly warn: Paint
  /** The colour of a verdict. */
  paint(verdict: Verdict | 'flaky', text: string): string
  symbol(verdict: Verdict | 'flaky' | 'again'): string
  /** Between parts of a line. */
  readonly dot: string
  /** Between an environment and a test. */
  readonly arrow: string
  /** What a bar of progress is made of. */
  readonly bar: { readonly done: string; readonly left: string }
}

/** Makes a style; without colour every paint leaves its text as it is. */
export function createStyle({ color, unicode }: { color: boolean; unicode: boolean }): Style {
  const c = picocolors.createColors(color)
  const paints: Record<Verdict | 'flaky', Paint> = {
    pass: c.green,
    fail: c.red,
    error: c.magenta,
    skip: c.cyan,
    blocked: c.yellow,
    'not-run': c.yellow,
    flaky: c.yellow,
  }
  return {
    bold: c.bold,
    dim: c.dim,
    warn: c.yellow,
    paint: (verdict, text) => paints[verdict](text),
    symbol: verdict => (unicode ? symbols : asciiSymbols)[verdict],
    dot: unicode ? ' · ' : ', ',
    arrow: unicode ? ' › ' : ' > ',
    bar: unicode ? { done: '━', left: '╌' } : { done: '#', left: '.' },
  }
}

const symbols: Record<Verdict | 'flaky' | 'again', string> = {
  pass: '✓',
  fail: '✗',
  error: '!',
  skip: '-',
  blocked: '■',
  'not-run': '○',
  flaky: '~',
  again: '↻',
}

const asciiSymbols: Record<Verdict | 'flaky' | 'again', string> = {
  pass: '+',
  fail: 'x',
  error: '!',
  skip: '-',
  blocked: '#',
  'not-run': 'o',
  flaky: '~',
  again: '<',
}
