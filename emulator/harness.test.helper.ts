import { join } from 'node:path'
import { packageRoot } from '../src/config/package-root.js'
import { assemble } from './assemble.js'
import { fromText, toBuffer } from './files/bytes.js'
import { Descriptors, type OpenFile } from './files/open-file.js'
import { Pipe } from './files/pipe.js'
import type { Hardware } from './hardware/machine.js'
import { makePrograms } from './programs/table.js'
import { Pulse } from './pulse.js'
import { boot } from './system/boot.js'
import { execute } from './system/programs.js'
import { runToEnd, statusCode } from './system/run-to-end.js'
import type { System } from './system/system.js'

/** The personas that ship with the program. */
export const personaFolder = join(packageRoot, 'fixtures/personas')

const programs = makePrograms()

/** A booted system without a server, for tests of what runs in it. */
export function bootForTest(persona: string, hardware: Partial<Hardware> = {}, platform?: string): System {
  return boot({
    nodeName: 'guest',
    ...assemble({
      persona,
      personaFolders: [personaFolder],
      platform,
      hardware: { vcpus: 2, memoryBytes: 1_073_741_824, ...hardware },
    }),
    accounts: [
      { name: 'root', uid: 0, gid: 0, group: 'root', home: '/root', shell: '/bin/sh', groups: [] },
      {
        name: 'tester',
        uid: 1000,
        gid: 1000,
        group: 'tester',
        home: '/home/tester',
        shell: '/bin/sh',
        groups: [],
      },
    ],
    passwords: new Map([['tester', 'secret']]),
    programs,
    pulse: new Pulse('stopped'),
    disk: undefined,
    serial: () => {},
    panicked: () => {},
    reset: () => {},
    power: () => {},
    stops: () => false,
    cancelPower: () => false,
  })
}

/** What a script left: bytes as one character each. */
export interface Outcome {
  readonly stdout: string
  readonly stderr: string
  readonly status: number
}

/** Runs a script in the guest with the given shell. The script is UTF-8 text. */
export async function runScript(
  system: System,
  script: string,
  { shell = '/bin/sh', stdin = '', uid = 0, cwd = '/tmp', env = {} as Record<string, string> } = {},
): Promise<Outcome> {
  const [input, output, errors] = [new Pipe(), new Pipe(), new Pipe()]
  const files = new Descriptors()
  const feed = input.writer()
  const stdout = output.reader()
  const stderr = errors.reader()
  files.set(0, input.reader())
  files.set(1, output.writer())
  files.set(2, errors.writer())
  const environ = new Map([
    ['PATH', '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'],
    ['HOME', '/root'],
    ...Object.entries(env),
  ])
  const argv = [shell.split('/').at(-1) ?? 'sh', '-c', fromText(script)]
  const process = system.processes.spawn({ argv, files, environ, uid, gid: uid, cwd })
  const ended = runToEnd(process, () => execute(system, process, shell, argv, environ))
  const never = new AbortController().signal
  const fed = feed
    .write(toBuffer(stdin), never)
    .catch(() => {})
    .finally(() => feed.release())
  const [out, err] = await Promise.all([drain(stdout, never), drain(stderr, never)])
  await fed
  return { stdout: out, stderr: err, status: statusCode(await ended) }
}

async function drain(file: OpenFile, signal: AbortSignal): Promise<string> {
  let text = ''
  for (;;) {
    const part = await file.read(65_536, signal)
    if (part.length === 0) return text
    text += part.toString('latin1')
  }
}
