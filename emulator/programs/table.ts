import { toBuffer } from '../files/bytes.js'
import { formatPrintf, unescapeEcho } from '../shell/printf.js'
import { evaluateTest } from '../shell/test.js'
import type { Call, Program, ProgramTable } from '../system/programs.js'
import { copyProgram } from './copy.js'
import { datePrograms } from './date.js'
import { ddPrograms } from './dd.js'
import { devicePrograms } from './devices.js'
import { digestPrograms } from './digests.js'
import { firmwarePrograms } from './dmidecode.js'
import { filePrograms } from './files.js'
import { filter, isFilter } from './filters.js'
import { writeTo } from './io.js'
import { listingPrograms } from './listing.js'
import { machinePrograms } from './machine.js'
import { odPrograms } from './od.js'
import { powerPrograms } from './power.js'
import { processPrograms } from './processes.js'
import { readlink } from './readlink.js'
import { shellProgram } from './sh.js'
import { statPrograms } from './stat.js'
import { complain, streamPrograms } from './streams.js'
import { sudoPrograms } from './sudo.js'
import { tail } from './tail.js'
import { tarPrograms } from './tar.js'
import { userPrograms } from './users.js'
import { wrapperPrograms } from './wrappers.js'
import { xargsPrograms } from './xargs.js'

/** Files of commands that the shell has built in, for those who start them without a shell. */
const alsoBuiltins: Readonly<Record<string, Program>> = {
  true: async () => 0,
  false: async () => 1,
  echo: async call => {
    const [first] = call.args
    const flags = first !== undefined && /^-[neE]+$/.test(first) ? first : ''
    const text = (flags === '' ? call.args : call.args.slice(1)).join(' ')
    const { text: shown } = flags.includes('e') ? unescapeEcho(text) : { text }
    await writeTo(call.process, 1, flags.includes('n') ? shown : `${shown}\n`)
    return 0
  },
  printf: async call => {
    const [format, ...values] = call.args
    if (format === undefined) return complain(call, 'missing operand')
    const { text, errors } = formatPrintf(format, values)
    await call.process.files.need(1).write(toBuffer(text), call.process.signal)
    return errors.length > 0 ? 1 : 0
  },
  test: call => judge(call, call.args),
  '[': call => judge(call, call.args.slice(0, -1)),
  pwd: async call => {
    await writeTo(call.process, 1, `${call.process.cwd}\n`)
    return 0
  },
}

async function judge(call: Call, args: Call['args']): Promise<number> {
  const outcome = evaluateTest(args, { tree: call.system.tree, process: call.process })
  if (typeof outcome === 'boolean') return outcome ? 0 : 1
  return complain(call, outcome).then(() => 2)
}

/** All programs that the emulator can carry out. */
export function makePrograms(): ProgramTable {
  const table = new Map<string, Program>()
  const programs: ProgramTable = name => {
    const known = table.get(name)
    if (known || !isFilter(name)) return known
    const made = filter(name)
    table.set(name, made)
    return made
  }
  const all = {
    ...alsoBuiltins,
    ...streamPrograms,
    ...ddPrograms,
    ...devicePrograms,
    ...digestPrograms,
    ...datePrograms,
    ...filePrograms,
    ...firmwarePrograms,
    ...listingPrograms,
    ...statPrograms,
    ...userPrograms,
    ...machinePrograms,
    ...odPrograms,
    ...tarPrograms,
    ...powerPrograms,
    ...processPrograms,
    ...wrapperPrograms,
    ...xargsPrograms,
    ...sudoPrograms,
    readlink,
    tail,
  }
  for (const [name, program] of Object.entries(all)) table.set(name, program)
  table.set('cp', copyProgram())
  table.set('sh', shellProgram())
  table.set('bash', shellProgram('bash'))
  table.set('dash', shellProgram('dash'))
  return answering(programs)
}

/** Lets the persona's own answer for exactly these arguments come first. */
function answering(programs: ProgramTable): ProgramTable {
  return name => {
    const program = programs(name)
    return async call => {
      const answer = call.system.answer(name, call.args)
      if (!answer)
        return program ? program(call) : complain(call, 'the emulator has no such program').then(() => 126)
      await writeTo(call.process, 1, answer.stdout)
      await writeTo(call.process, 2, answer.stderr)
      return answer.exit
    }
  }
}
