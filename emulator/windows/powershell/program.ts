import { resolvePath } from '../store/files.js'
import { type Call, complain, findProgram, type Program, print, startProgram } from '../system/context.js'
import { LineReader, readAll } from '../system/io.js'
import { decode, decodeMarked } from '../text/code-pages.js'
import { readCommandLine } from './command-line.js'
import { answerHostRequest } from './host-texts.js'
import { answerRequest } from './requests.js'
import { answerScript, refuse } from './script.js'
import { serve } from './service.js'
import { recognise } from './texts.js'

/** The status of powershell.exe whose own arguments are wrong. */
const badArguments = 0xfffd0000

/**
 * powershell.exe. It knows no language: it recognises the texts that guestcert sends and does what each does, for the
 * version that the persona has, and refuses any other. A lab's own scripts are answered from its persona.
 */
export const powershell: Program = async call => {
  const { system, process } = call
  const facts = system.persona.powershell
  if (!facts) return 1
  system.used.add('powershell')
  system.counters.powershellStarts++
  await process.sleep(facts.startMs)
  const command = readCommandLine(call)
  switch (command.kind) {
    case 'problem':
      await complain(call, `${command.message}\r\n`)
      return badArguments
    case 'file':
      return runFile(call, command.path)
    case 'input':
      return runText(call, decode(await readAll(call.io.stdin, process.signal), call.console.codePage))
    default:
      return runText(call, command.text)
  }
}

async function runText(call: Call, text: string): Promise<number> {
  const known = recognise(text)
  switch (known?.name) {
    case 'service':
      return serve(call, new LineReader(call.io.stdin), answerRequest)
    case 'host-service':
      return serve(call, new LineReader(call.io.stdin), answerHostRequest)
    case 'script':
      return answerScript(call, known.data)
    case 'reader':
      return runFile(call, Buffer.from(known.data, 'base64').toString('utf8'))
    case 'login-probe':
      await print(
        call,
        `gc-shell\r\n%ComSpec%\r\n${call.system.persona.os.systemRoot}\\System32\\WindowsPowerShell\\v1.0\r\nTrue\r\n`,
      )
      return 0
    case 'login-line':
      return runInCmd(call, known.data)
    default:
      return text.trim() === '' ? 0 : refuse(call, text)
  }
}

/** The text of a file; no execution policy is played. */
async function runFile(call: Call, path: string): Promise<number> {
  const node = call.system.files.find(resolvePath(call.cwd, path))
  if (node?.type === 'file') return runText(call, decodeMarked(node.data, 1252))
  await complain(
    call,
    `The argument '${path}' to the -File parameter does not exist. Provide the path to an existing '.ps1' file as an argument to the -File parameter.\r\n`,
  )
  return badArguments
}

/** Hands a line on to cmd, with quotes in the variable that stands for them. */
async function runInCmd(call: Call, line: string): Promise<number> {
  const env = call.env.copy()
  env.set('GC_Q', '"')
  const found = findProgram(call, 'cmd.exe')
  const started = found && startProgram(call, found, 'cmd.exe', ` /d /s /c ${line}`, { io: call.io, env })
  return started ? call.process.whileAlive(started.exit) : refuse(call, line)
}
