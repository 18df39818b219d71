import type { Call, Program } from '../system/programs.js'
import { writeTo } from './io.js'
import { readOptions } from './options.js'
import { complain } from './streams.js'

const print = (call: Call, text: string): Promise<void> => writeTo(call.process, 1, text)

const id: Program = async call => {
  const options = readOptions(call.args, 'ugGnr', { user: 'u', group: 'g', groups: 'G', name: 'n' })
  const [name] = options.operands
  const { accounts } = call.system
  const account =
    name === undefined
      ? accounts.find(it => it.uid === call.process.uid)
      : accounts.find(it => it.name === name)
  if (name !== undefined && !account) return complain(call, `${name}: no such user`)
  const uid = account?.uid ?? call.process.uid
  const groups = [
    { name: account?.group ?? account?.name ?? '', gid: account?.gid ?? call.process.gid },
    ...(account?.groups ?? []),
  ]
  const show = (number: number, text: string): string => (options.has('n') ? text : String(number))
  if (options.has('u')) await print(call, `${show(uid, account?.name ?? '')}\n`)
  else if (options.has('g')) await print(call, `${show(groups[0]?.gid ?? 0, groups[0]?.name ?? '')}\n`)
  else if (options.has('G'))
    await print(call, `${groups.map(group => show(group.gid, group.name)).join(' ')}\n`)
  else {
    const list = groups.map(group => `${group.gid}(${group.name})`)
    await print(call, `uid=${uid}(${account?.name ?? uid}) gid=${list[0]} groups=${list.join(',')}\n`)
  }
  return 0
}

const whoami: Program = async call => {
  await print(
    call,
    `${call.system.accounts.find(it => it.uid === call.process.uid)?.name ?? call.process.uid}\n`,
  )
  return 0
}

/** Programs that say who runs them. */
export const userPrograms: Readonly<Record<string, Program>> = {
  id,
  whoami,
  groups: async call => {
    const account = call.system.accounts.find(it => it.uid === call.process.uid)
    await print(
      call,
      `${[account?.group ?? '', ...(account?.groups ?? []).map(group => group.name)].join(' ')}\n`,
    )
    return 0
  },
}
