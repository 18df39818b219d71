import { toNumber } from '../convert.js'
import { fail } from '../errors.js'
import { binary, orderOf, wildcard } from '../operators.js'
import { propertiesOf } from '../properties.js'
import { collect } from '../runtime.js'
import { textOf, typeNameOf } from '../text.js'
import { collapse, isTrue, itemsOf, PsHash, PsObject, ScriptBlock, type Value } from '../values.js'
import { type Cmdlet, type CmdletCall, wholeOf } from './cmdlet.js'

const custom = 'System.Management.Automation.PSCustomObject'

/** What a block gives for one item. */
async function ask(call: CmdletCall, block: ScriptBlock, item: Value): Promise<Value> {
  return collapse(await collect(call.shell, block, [], call, { item, sameScope: true }))
}

/** A property by its name, or what a calculated one gives: `@{n='A';e={…}}`. */
async function property(call: CmdletCall, wanted: Value, item: Value): Promise<readonly [string, Value][]> {
  if (wanted instanceof PsHash) {
    const name = textOf(wanted.get('Name') ?? wanted.get('N') ?? wanted.get('Label') ?? wanted.get('L'))
    const by = wanted.get('Expression') ?? wanted.get('E')
    return [
      [
        name,
        by instanceof ScriptBlock ? await ask(call, by, item) : call.shell.member(item, textOf(by), call),
      ],
    ]
  }
  if (wanted instanceof ScriptBlock) return [[wanted.block.source.trim(), await ask(call, wanted, item)]]
  const name = textOf(wanted)
  if (/[*?]/.test(name)) {
    const pattern = wildcard(name, false)
    return propertiesOf(item)
      .filter(it => pattern.test(it.name))
      .map(it => [it.name, it.value])
  }
  const spelled = propertiesOf(item).find(it => it.name.toLowerCase() === name.toLowerCase())?.name ?? name
  return [[spelled, call.shell.member(item, name, call)]]
}

async function sortKeys(call: CmdletCall, item: Value, by: readonly Value[]): Promise<Value[]> {
  if (by.length === 0) return [item]
  const keys: Value[] = []
  for (const it of by) keys.push((await property(call, it, item))[0]?.[1] ?? null)
  return keys
}

/** Cmdlets that choose, order and count objects. */
export const objectCmdlets: readonly Cmdlet[] = [
  {
    name: 'ForEach-Object',
    parameters: 'Process Begin= End= MemberName= ArgumentList= InputObject=',
    run: async call => {
      const first = call.value('Process')
      const blocks = itemsOf(first)
      const run = async (block: Value, item?: Value): Promise<void> => {
        if (block instanceof ScriptBlock)
          await call.shell.run(block, [], call, { ...(item === undefined ? {} : { item }), sameScope: true })
      }
      await run(call.value('Begin'))
      for (const item of call.input) {
        await call.shell.call.system.breathe(call.shell.call.process)
        if (first instanceof ScriptBlock) await run(first, item)
        else if (first !== null && blocks.every(it => it instanceof ScriptBlock))
          for (const block of blocks) await run(block, item)
        else await call.emit(call.shell.member(item, textOf(first), call))
      }
      await run(call.value('End'))
    },
  },
  {
    name: 'Where-Object',
    parameters:
      'FilterScript Value InputObject= EQ? NE? GT? GE? LT? LE? Like? NotLike? Match? NotMatch? Contains? In? Property=',
    run: async call => {
      const filter = call.value('FilterScript') ?? call.value('Property')
      const operator = [
        'EQ',
        'NE',
        'GT',
        'GE',
        'LT',
        'LE',
        'Like',
        'NotLike',
        'Match',
        'NotMatch',
        'Contains',
        'In',
      ].find(it => call.flag(it))
      for (const item of call.input) {
        let holds: Value
        if (filter instanceof ScriptBlock) holds = await ask(call, filter, item)
        else {
          const left = call.shell.member(item, textOf(filter), call)
          holds =
            operator === undefined
              ? left
              : await binary(`-${operator.toLowerCase()}`, left, call.value('Value'), {
                  offsetMinutes: ms => call.shell.offsetMinutes(ms),
                  setMatches: () => {},
                  call: async () => null,
                })
        }
        if (isTrue(holds)) await call.emit(item)
      }
    },
  },
  {
    name: 'Select-Object',
    parameters:
      'Property First= Last= Skip= Index= ExpandProperty= ExcludeProperty= Unique? InputObject= Wait?',
    run: async call => {
      let items = call.piped ? call.input : call.list('InputObject')
      const skip = wholeOf(call.value('Skip'))
      const first = wholeOf(call.value('First'))
      const last = wholeOf(call.value('Last'))
      if (skip !== undefined) items = items.slice(skip)
      if (first !== undefined) items = items.slice(0, first)
      if (last !== undefined) items = items.slice(-last)
      if (call.value('Index') !== null) items = call.list('Index').map(it => items[toNumber(it)] ?? null)
      const expand = call.text('ExpandProperty')
      const wanted = call.list('Property')
      const excluded = call.list('ExcludeProperty').map(it => wildcard(textOf(it), false))
      const seen = new Set<string>()
      for (const item of items) {
        if (expand !== undefined) {
          const value = call.shell.member(item, expand, call)
          if (value !== null) for (const it of itemsOf(value)) await call.emit(it)
          continue
        }
        let made: Value = item
        if (wanted.length > 0) {
          const pairs: (readonly [string, Value])[] = []
          for (const one of wanted) pairs.push(...(await property(call, one, item)))
          made = new PsObject(
            custom,
            pairs.filter(([name]) => !excluded.some(it => it.test(name))),
          )
        }
        const key = textOf(made)
        if (call.flag('Unique') && seen.has(key)) continue
        seen.add(key)
        await call.emit(made)
      }
    },
  },
  {
    name: 'Sort-Object',
    parameters: 'Property Descending? Unique? CaseSensitive? InputObject=',
    run: async call => {
      const keyed: { item: Value; keys: Value[] }[] = []
      for (const item of call.input)
        keyed.push({ item, keys: await sortKeys(call, item, call.list('Property')) })
      const sign = call.flag('Descending') ? -1 : 1
      const order = (a: { keys: Value[] }, b: { keys: Value[] }): number => {
        for (const [index, key] of a.keys.entries()) {
          const by = orderOf(key, b.keys[index] ?? null)
          if (by !== 0) return by * sign
        }
        return 0
      }
      keyed.sort(order)
      for (const [index, it] of keyed.entries()) {
        const before = keyed[index - 1]
        if (call.flag('Unique') && before && order(before, it) === 0) continue
        await call.emit(it.item)
      }
    },
  },
  {
    name: 'Measure-Object',
    parameters: 'Property Sum? Average? Minimum? Maximum? Line? Word? Character? InputObject=',
    run: async call => {
      const name = call.text('Property')
      const values = call.input
        .map(it => (name === undefined ? it : call.shell.member(it, name, call)))
        .filter(it => it !== null)
      const numbers = values.map(it => toNumber(it))
      const sum = numbers.reduce((total, it) => total + it, 0)
      await call.emit(
        new PsObject('Microsoft.PowerShell.Commands.GenericMeasureInfo', [
          ['Count', values.length],
          ['Average', call.flag('Average') && numbers.length > 0 ? sum / numbers.length : null],
          ['Sum', call.flag('Sum') ? sum : null],
          ['Maximum', call.flag('Maximum') && numbers.length > 0 ? Math.max(...numbers) : null],
          ['Minimum', call.flag('Minimum') && numbers.length > 0 ? Math.min(...numbers) : null],
          ['Property', name ?? null],
        ]),
      )
    },
  },
  {
    name: 'Group-Object',
    parameters: 'Property NoElement? AsHashTable? InputObject=',
    run: async call => {
      const groups = new Map<string, Value[]>()
      for (const item of call.input) {
        const [key = null] = await sortKeys(call, item, call.list('Property'))
        const name = textOf(key)
        groups.set(name, [...(groups.get(name) ?? []), item])
      }
      for (const [name, items] of groups)
        await call.emit(
          new PsObject('Microsoft.PowerShell.Commands.GroupInfo', [
            ['Count', items.length],
            ['Name', name],
            ['Group', items],
          ]),
        )
    },
  },
  {
    name: 'Add-Member',
    parameters: 'MemberType Name Value InputObject= PassThru? Force? NotePropertyName= NotePropertyValue=',
    run: async call => {
      for (const item of call.piped ? call.input : call.list('InputObject')) {
        if (item instanceof PsObject)
          item.set(
            call.text('NotePropertyName') ?? call.text('Name') ?? '',
            call.value('NotePropertyValue') ?? call.value('Value'),
          )
        if (call.flag('PassThru')) await call.emit(item)
      }
    },
  },
  {
    name: 'Get-Member',
    parameters: 'Name MemberType= InputObject= Static? Force?',
    run: async call => {
      const [first = null] = call.piped ? call.input : call.list('InputObject')
      if (first === null)
        throw fail({
          message: 'You must specify an object for the Get-Member cmdlet.',
          id: 'NoObjectInGetMember,Microsoft.PowerShell.Commands.GetMemberCommand',
          category: 'CloseError',
          activity: 'Get-Member',
        })
      for (const it of propertiesOf(first))
        await call.emit(
          new PsObject('Microsoft.PowerShell.Commands.MemberDefinition', [
            ['TypeName', typeNameOf(first)],
            ['Name', it.name],
            ['MemberType', 'Property'],
            ['Definition', `${typeNameOf(it.value) || 'System.Object'} ${it.name}`],
          ]),
        )
    },
  },
]
