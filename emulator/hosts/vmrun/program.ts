import { fromText, toText } from '../../files/bytes.js'
import { writeTo } from '../../programs/io.js'
import type { Program } from '../../system/programs.js'
import { invalid, refusalOf, verbs } from './commands.js'
import type { Machines } from './machines.js'
import { Refusal } from './machines.js'

/** What the status of -1 is for a shell. */
const failure = 255

/** vmrun, whose errors go to standard output. What it does not play it does not know. */
export function vmrunProgram(machines: Machines): Program {
  const { faults, persona } = machines
  const { vmrun } = persona.vmrun
  return async call => {
    const say = (text: string): Promise<void> => writeTo(call.process, 1, fromText(text))
    if (faults.slow) await call.process.sleep(faults.slow.ms)
    const [flag, type, verb = '', path, ...words] = call.args.map(toText)
    if (flag === undefined) {
      await say(
        `vmrun version ${vmrun} build-${persona.vmrun.build}\n\nUsage: vmrun [AUTHENTICATION-FLAGS] COMMAND [PARAMETERS]\n`,
      )
      return failure
    }
    try {
      if (flag !== '-T' || type !== 'ws' || persona.vmrun.product !== 'VMware Workstation') {
        // Index file 20119502104.
        throw new Refusal(
          'Unable to connect to host. Error: The operation is not supported for the specified parameters',
        )
      }
      if (verb === 'list') {
        const running = machines.running.map(machine => machine.path)
        await say([`Total running VMs: ${running.length}`, ...running, ''].join('\n'))
        return 0
      }
      const command = Object.hasOwn(verbs, verb) ? verbs[verb] : undefined
      if (!command) throw invalid()
      await say(await command(machines, machines.find(path), words))
      return 0
    } catch (error) {
      const refusal = refusalOf(error)
      if (!refusal) throw error
      await say(`Error: ${refusal.message}\n`)
      return failure
    }
  }
}

/** `vmware -v` */
export function vmwareVersionProgram({ persona: { vmrun } }: Machines): Program {
  return async call => {
    await writeTo(call.process, 1, fromText(`${vmrun.product} ${vmrun.version} build-${vmrun.build}\n`))
    return 0
  }
}
