/**
 * What the kernel's log and its readers write before a line: raw levels, `dmesg -x`, time stamps of printk, of
 * `dmesg -T` and of `dmesg -d`, the caller (CONFIG_PRINTK_CALLER), and syslog's and journalctl's own, up to `kernel: `.
 * Each ends with one blank; what follows belongs to the line.
 */
const logPrefix = new RegExp(
  `^(?:${[
    '<\\d{1,3}>',
    '\\w{4,8} *:\\w{4,6} *: ',
    '\\w{3} [ \\d]\\d \\d\\d:\\d\\d:\\d\\d \\S+ kernel(?:\\[\\d+\\])?: ',
    '\\d{4}-\\d\\d-\\d\\d[T ]\\S+ \\S+ kernel(?:\\[\\d+\\])?: ',
    '\\[ *\\d+\\.\\d+(?: <[ +]*\\d+\\.\\d+>)?\\](?: |(?=\\[))',
    '\\[<?[+ ]*\\d+\\.\\d+>?\\] ',
    '\\[\\w{3} \\w{3} [ \\d]\\d \\d\\d:\\d\\d:\\d\\d \\d{4}\\] ',
    '\\[ *[TC]\\d+\\] ',
  ].join('|')})+`,
)
/** A version line behind a prefix of another kind, which must end in a mark: no sentence, and nothing that is quoted. */
const foreignVersion = /^([^#]*[\])}>:|=~-])(\s*)K?TAP version \d+\s*$/
const ownVersion = /^\s*K?TAP version \d+\s*$/

/** Takes away what stands before each line of a log in which KTAP was printed. */
export class LinePrefix {
  #isLog = false
  #literal = ''

  /** The line without its prefix. A version line that has one decides how the lines after it are read. */
  strip(line: string): string {
    const stripped = this.#apply(line)
    if (ownVersion.test(stripped)) {
      return stripped
    }
    const inLog = line.replace(logPrefix, '')
    const [, before, blank = ''] = foreignVersion.exec(inLog) ?? []
    if (before === undefined && !ownVersion.test(inLog)) {
      return stripped
    }
    this.#isLog = inLog !== line
    // The blank before an outermost version line belongs to the prefix.
    this.#literal = before === undefined ? '' : `${before}${blank}`
    return this.#apply(line)
  }

  #apply(line: string): string {
    const rest = this.#isLog ? line.replace(logPrefix, '') : line
    return this.#literal !== '' && rest.startsWith(this.#literal) ? rest.slice(this.#literal.length) : rest
  }
}
