import { type CallOptions, type HostCommands, hostError } from './host-commands.js'

/** What one of several commands printed, on both outputs, and its exit status. */
export interface Said {
  readonly code: number
  readonly text: string
}

const cut = '--guestcert--'

/** Gives several shell commands in one question: what each of them said. Throws InfraError where one was not reached. */
export async function runSeveral(
  shell: HostCommands,
  commands: readonly string[],
  call: CallOptions,
  prologue = '',
): Promise<Said[]> {
  const line = `${prologue}${commands.map(one => `{ ${one};} 2>&1;echo "${cut} $?"`).join(';')}`
  const answer = await shell.run(line, call)
  const parts = answer.stdout.text.split(new RegExp(`${cut} (\\d+)\\n`))
  return commands.map((_, index): Said => {
    const [text, code] = [parts[2 * index], parts[2 * index + 1]]
    if (text === undefined || code === undefined) {
      const printed = `${answer.stdout.text}${answer.stderr}`.trim().slice(-300)
      throw hostError(
        call.where,
        `${call.where} on ${shell.host}: the shell ended before its commands: ${printed}`,
      )
    }
    return { text, code: Number(code) }
  })
}
