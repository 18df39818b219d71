/** An answer that has another form than the host's tools are known to give. */
export class UnknownOutput extends Error {
  override readonly name = 'UnknownOutput'

  constructor(what: string, line: string) {
    super(`${what} has a form that is not known: "${line.slice(0, 120)}"`)
  }
}
