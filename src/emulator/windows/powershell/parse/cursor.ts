/** PowerShell cannot read a text. The id is that of its error record. */
export class ParseProblem extends Error {
  readonly id: string
  readonly at: number

  constructor(message: string, id: string, at: number) {
    super(message)
    this.id = id
    this.at = at
  }
}

/** A place in a text that is read. */
export class Cursor {
  protected readonly text: string
  protected at = 0

  constructor(text: string) {
    this.text = text
  }

  protected peek(ahead = 0): string {
    return this.text[this.at + ahead] ?? ''
  }

  protected get ended(): boolean {
    return this.at >= this.text.length
  }

  protected startsWith(word: string): boolean {
    return this.text.startsWith(word, this.at)
  }

  /** What a pattern finds right here. */
  protected match(pattern: RegExp): RegExpExecArray | undefined {
    const sticky = new RegExp(pattern.source, `${pattern.flags.replace(/[gy]/g, '')}y`)
    sticky.lastIndex = this.at
    return sticky.exec(this.text) ?? undefined
  }

  protected take(pattern: RegExp): string | undefined {
    const found = this.match(pattern)?.[0]
    if (found !== undefined) this.at += found.length
    return found
  }

  /** Blanks, comments and a backtick before a line end; line ends too where they do not end a statement. */
  protected skip(lines = false): void {
    this.take(
      lines
        ? /(?:[ \t\r\n\ufeff\u00a0]|`\r?\n|#[^\n]*|<#[\s\S]*?#>)+/
        : /(?:[ \t\ufeff\u00a0]|`\r?\n|#[^\r\n]*|<#[\s\S]*?#>)+/,
    )
  }

  /** Line ends and semicolons between statements. */
  protected skipEnds(): void {
    this.take(/(?:[ \t\r\n;\ufeff\u00a0]|`\r?\n|#[^\n]*|<#[\s\S]*?#>)+/)
  }

  protected need(sign: string): void {
    this.skip(true)
    if (!this.startsWith(sign))
      throw this.problem(`Missing '${sign}' in statement or expression.`, 'MissingToken')
    this.at += sign.length
  }

  protected problem(message: string, id: string): ParseProblem {
    return new ParseProblem(message, id, this.at)
  }

  protected unexpected(): ParseProblem {
    const token = this.match(/\S+/)?.[0] ?? ''
    return this.problem(`Unexpected token '${token}' in expression or statement.`, 'UnexpectedToken')
  }
}
