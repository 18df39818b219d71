import { queryWmi, select } from '../../wmi/repository.js'
import { parseCondition } from '../../wmi/wql.js'
import { textOf } from '../text.js'
import { PsObject, WmiObject } from '../values.js'
import type { Cmdlet, CmdletCall } from './cmdlet.js'

async function query(call: CmdletCall, cim: boolean): Promise<void> {
  const { system, process } = call.shell.call
  const namespace = call.text('Namespace') ?? 'root\\cimv2'
  const text = call.text('Query')
  const names = call
    .list('Property')
    .map(it => textOf(it))
    .filter(it => it !== '*')
  const filter = call.text('Filter')
  const className = call.text(cim ? 'ClassName' : 'Class') ?? ''
  const wanted = names.length > 0 ? names : undefined
  const result =
    text === undefined
      ? await select(
          system,
          process,
          namespace,
          className,
          wanted,
          filter === undefined || filter === '' ? undefined : parseCondition(filter),
        )
      : await queryWmi(system, process, namespace, text)
  const all = text === undefined ? wanted === undefined : /^\s*select\s+\*/i.test(text)
  for (const instance of result.instances)
    await call.emit(new WmiObject(instance, cim, all ? undefined : result.properties.map(it => it.name)))
}

/** Get-WmiObject, Get-CimInstance (from version 3) and their methods. */
export const wmiCmdlets: readonly Cmdlet[] = [
  {
    name: 'Get-WmiObject',
    parameters:
      'Class Property Filter= Query= Namespace= ComputerName= List? Credential= EnableAllPrivileges? Authentication= Impersonation= Amended?',
    run: call => query(call, false),
  },
  {
    name: 'Get-CimInstance',
    since: 3,
    parameters:
      'ClassName Property= Filter= Query= Namespace= ComputerName= KeyOnly? OperationTimeoutSec= QueryDialect= CimSession= ResourceUri=',
    run: call => query(call, true),
  },
  {
    name: 'Invoke-CimMethod',
    since: 3,
    parameters: 'InputObject MethodName Arguments= ClassName= Namespace= Query=',
    run: call => invoke(call),
  },
  {
    name: 'Invoke-WmiMethod',
    parameters: 'Class Name ArgumentList InputObject= Path= Namespace=',
    run: call => invoke(call),
  },
]

async function invoke(call: CmdletCall): Promise<void> {
  const name = call.text('MethodName') ?? call.text('Name') ?? ''
  for (const target of call.piped ? call.input : call.list('InputObject')) {
    const result =
      target instanceof WmiObject
        ? await call.shell.invoke(
            new WmiObject(target.instance, false, target.names),
            name,
            call.list('ArgumentList'),
            call,
          )
        : null
    await call.emit(result ?? new PsObject('System.Management.ManagementBaseObject', [['ReturnValue', 0]]))
  }
}
