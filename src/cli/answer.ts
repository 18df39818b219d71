import picocolors from 'picocolors'
import { wantsColor } from '../reports/terminal/style.js'
import { safeJson } from '../text/json.js'
import { type CommandIo, colorFlag, isSet, type ParsedArgs } from './args.js'
import { type Table, table, tableWidth, wrapped } from './table.js'

/** What a text for people is drawn on. */
export interface Paper {
  readonly colors: ReturnType<typeof picocolors.createColors>
  /** Rows below headings, as wide as the terminal. */
  table(table: Table): string
  /** Texts by their depth, wrapped within the terminal. */
  indented(texts: readonly (readonly [text: string, depth: number])[]): string
}

/** What a command has found: for people, for a script, and for a program. */
export interface Answer {
  /** As JSON, in the shape that `shapes.ts` has for the command. */
  readonly value: unknown
  /** For people. */
  text(paper: Paper): string
  /** With `--quiet`. */
  quiet(paper: Paper): string
}

/** Prints what a command has found, as `--json` or `--quiet` ask. Every command that prints results ends with this. */
export function answer(args: ParsedArgs, io: CommandIo, { value, text, quiet }: Answer): void {
  if (isSet(args, 'json')) {
    io.stdout.write(`${safeJson(value, 2)}\n`)
    return
  }
  const said = (isSet(args, 'quiet') ? quiet : text)(paperOf(args, io))
  if (said !== '') io.stdout.write(said)
}

/** Whether a command may print what it does while it does it: neither `--json` nor `--quiet` is set. */
export function isTalkative(args: ParsedArgs): boolean {
  return !isSet(args, 'json') && !isSet(args, 'quiet')
}

/** One name or finding a line. */
export function lines(texts: readonly string[]): string {
  return texts.map(text => `${text}\n`).join('')
}

function paperOf(args: ParsedArgs, io: CommandIo): Paper {
  const flag = colorFlag(args)
  const wish = { isTTY: io.stdout.isTTY === true, env: io.env, ...(flag === undefined ? {} : { flag }) }
  const colors = picocolors.createColors(wantsColor(wish))
  const width = tableWidth(io.stdout)
  return {
    colors,
    table: rows => table(rows, colors.bold, width),
    indented: texts =>
      lines(
        texts.flatMap(([text, depth]) => {
          const margin = '  '.repeat(depth)
          const room = width === undefined ? Number.POSITIVE_INFINITY : Math.max(1, width - margin.length)
          return wrapped(text, room).map(line => margin + line)
        }),
      ),
  }
}
