import { type Call, complain, print } from '../system/context.js'
import { holds } from '../system/nt.js'

/**
 * Answers a test's script in the frame that guestcert puts around it, from the persona: the data are a nonce and the
 * script in base64.
 */
export async function answerScript(call: Call, data: string): Promise<number> {
  const [nonce = '', encoded = ''] = data.split(' ')
  const script = Buffer.from(encoded, 'base64').toString('utf8')
  const known = call.system.persona.answers
    .filter(it => holds(it, call.system.where))
    .flatMap(({ list }) => list)
    .findLast(it => plain(it.script) === plain(script))
  if (known === undefined) return refuse(call, script)
  const { output, errors, ends, status } = known
  const lines = (text: string): string => text.replace(/\r?\n/g, '\r\n')
  await print(call, `${nonce} begin\r\n${lines(output)}`)
  for (const error of errors) await complain(call, `${lines(error)}\r\n`)
  const how = ends === 'exit' ? 'left' : ends === 'throw' ? 'throw' : 'end'
  await print(
    call,
    `\n${nonce} ${how} ${errors.length} ${ends === 'end' && status !== 0 ? status | 0 : ''}\n`,
  )
  return ends === 'exit' ? status : ends === 'throw' ? 1 : 0
}

/** Says that a text has no answer here. */
export async function refuse(call: Call, text: string): Promise<number> {
  const shown = text.trim().split('\n')[0]?.slice(0, 60) ?? ''
  await complain(
    call,
    `emulator: this guest does not run PowerShell: "${shown}" is not a text of guestcert and has no answer in the persona (answers)\r\n`,
  )
  return 1
}

/** Blanks at the end of lines and around the whole do not make another script. */
function plain(script: string): string {
  return script
    .replace(/^\ufeff/, '')
    .replace(/[ \t\r]+$/gm, '')
    .trim()
}
