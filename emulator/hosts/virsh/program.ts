import { fromText, toText } from '../../files/bytes.js'
import { SystemError } from '../../files/errno.js'
import type { LibvirtHostPersona } from '../../persona/schema.js'
import { writeTo } from '../../programs/io.js'
import type { Call, Program } from '../../system/programs.js'
import type { Hypervisor } from '../hypervisor.js'
import type { Site } from '../site.js'
import { deviceCommands } from './devices.js'
import { type Generation, generationOf } from './generation.js'
import { lifecycleCommands } from './lifecycle.js'
import { hypervisorAt, migrationCommands } from './migrate.js'
import { monitorCommands } from './monitor.js'
import { nodeCommands } from './node.js'
import { parseArguments, splitAgain, WrongArguments } from './parse.js'
import { resourceCommands } from './resources.js'
import { type Command, Failed } from './session.js'
import { snapshotCommands } from './snapshots.js'

const commands: Readonly<Record<string, Command>> = {
  ...lifecycleCommands,
  ...migrationCommands,
  ...monitorCommands,
  ...deviceCommands,
  ...nodeCommands,
  ...resourceCommands,
  ...snapshotCommands,
}

/** What virsh speaks to on a host. */
export interface VirshHost {
  readonly hypervisor: Hypervisor
  readonly persona: LibvirtHostPersona
  /** The hosts that it can reach. */
  readonly site: Site
  /** How much longer each command takes, in ms. */
  readonly slowMs: number
}

/** virsh of the persona's generation. */
export function virshProgram(host: VirshHost): Program {
  const generation = generationOf(host.persona.libvirt.version)
  return async call => {
    if (host.slowMs > 0) await call.process.sleep(host.slowMs)
    try {
      return await run(call, host, generation)
    } catch (error) {
      if (error instanceof Failed || error instanceof WrongArguments) {
        // Words that are no command's are found out before anything runs: no blank line comes after.
        if (error instanceof Failed) await writeTo(call.process, 1, '\n')
        await tell(call, error.lines)
        return 1
      }
      if (!(error instanceof SystemError) || error.code !== 'ENOSPC') throw error
      await writeTo(call.process, 1, '\n')
      await tell(call, [`cannot write: ${error.text}`])
      return 1
    }
  }
}

async function run(call: Call, host: VirshHost, generation: Generation): Promise<number> {
  const { persona, hypervisor: local, site } = host
  const all = call.args.map(toText)
  const { uri, words } = connection(all, persona.libvirt.uri)
  if (words[0] === '--version' || words[0] === '-v') {
    await writeTo(call.process, 1, `${generation.version}\n`)
    return 0
  }
  const [name = '', ...rest] = generation.has('1.0.0') ? words : splitAgain(words)
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined
  if (!command || !generation.has(command.since)) throw new WrongArguments([`unknown command: '${name}'`])
  const given = parseArguments(name, command.options, rest, generation)
  const hypervisor = spokenTo(uri, { local, site, persona, generation })
  const isXen = persona.libvirt.uri === 'xen:///'
  if (isXen && command.notOnXen !== undefined) {
    throw new Failed([`this function is not supported by the connection driver: ${command.notOnXen}`])
  }
  const text = await command.run({ call, hypervisor, local, site, persona, generation, given, isXen })
  await writeTo(call.process, 1, fromText(`${text}\n`))
  return 0
}

/** Without a connection nothing runs. */
function spokenTo(uri: string, from: Parameters<typeof hypervisorAt>[1]): Hypervisor {
  try {
    return hypervisorAt(uri, from)
  } catch (error) {
    if (!(error instanceof Failed)) throw error
    const lines = error.lines.filter(line => line !== 'failed to connect to the hypervisor')
    throw new WrongArguments(['failed to connect to the hypervisor', ...lines])
  }
}

/** Takes `-c URI` and the like from the words in front of the command. */
function connection(all: readonly string[], usual: string): { uri: string; words: readonly string[] } {
  let uri = usual
  let place = 0
  for (; place < all.length; place++) {
    const word = all[place] ?? ''
    if (word === '-c' || word === '--connect') uri = all[++place] ?? ''
    else if (word.startsWith('--connect=')) uri = word.slice('--connect='.length)
    else if (word !== '-q' && word !== '-r' && word !== '--quiet' && word !== '--readonly') break
  }
  return { uri, words: all.slice(place) }
}

async function tell(call: Call, lines: readonly string[]): Promise<void> {
  await writeTo(call.process, 2, fromText(lines.map(line => `error: ${line}\n`).join('')))
}
