import { resolvePath } from '../../store/files.js'
import { decode, encode } from '../../text/code-pages.js'
import { errorRecord, fail, PsError } from '../errors.js'
import { cell, formatValues, list, table } from '../format.js'
import { propertiesOf } from '../properties.js'
import { textOf } from '../text.js'
import { itemsOf, NetObject, PsObject, ScriptBlock, type Value } from '../values.js'
import type { Cmdlet, CmdletCall } from './cmdlet.js'
import { wholeOf } from './cmdlet.js'

/** What a cmdlet works on: what it was piped, or else a parameter. */
export function subjects(call: CmdletCall, parameter: string): readonly Value[] {
  return call.piped ? call.input : call.list(parameter)
}

async function toHost({ shell }: CmdletCall, text: string): Promise<void> {
  await shell.call.io.stdout.write(encode(text, shell.call.console.codePage), shell.call.process.signal)
}

/** Objects with the properties that a format asks for. */
function chosen(call: CmdletCall): readonly Value[] {
  const names = call.list('Property').map(it => textOf(it))
  const values = subjects(call, 'InputObject')
  if (names.length === 0 || names.includes('*')) return values
  return values.map(
    it =>
      new PsObject(
        'Selected',
        names.map(name => [name, call.shell.member(it, name, call)] as const),
      ),
  )
}

function formatter(name: string, work: (values: readonly Value[]) => string): Cmdlet {
  return {
    name,
    parameters: 'Property GroupBy= Wrap? AutoSize? HideTableHeaders? Force? InputObject=',
    run: async call => {
      const values = chosen(call)
      if (values.length > 0) await call.emit(work(values).replace(/\r\n$/, ''))
    },
  }
}

/** Cmdlets that print, and that have to do with the session. */
export const hostCmdlets: readonly Cmdlet[] = [
  {
    name: 'Write-Output',
    parameters: 'InputObject NoEnumerate?',
    run: async call => {
      const rest = call.bound.rest
      for (const value of call.piped
        ? call.input
        : [...call.list('InputObject'), ...rest.flatMap(it => itemsOf(it))])
        await call.emit(value)
    },
  },
  {
    name: 'Write-Host',
    parameters: 'Object NoNewline? Separator= ForegroundColor= BackgroundColor=',
    run: async call => {
      const values = call.piped ? call.input : [...call.list('Object'), ...call.bound.rest]
      await toHost(
        call,
        `${values.map(it => textOf(it)).join(call.text('Separator') ?? ' ')}${call.flag('NoNewline') ? '' : '\r\n'}`,
      )
    },
  },
  {
    name: 'Write-Error',
    parameters: 'Message Exception= ErrorRecord= Category= ErrorId= TargetObject=',
    run: async call => {
      const message = call.text('Message') ?? ''
      await call.trouble({
        message,
        type: 'Microsoft.PowerShell.Commands.WriteErrorException',
        id: 'Microsoft.PowerShell.Commands.WriteErrorException',
        activity: 'Write-Error',
      })
    },
  },
  {
    name: 'Write-Warning',
    parameters: 'Message',
    run: async call => {
      if (!/silently|ignore/i.test(textOf(call.scope.get('WarningPreference'))))
        await toHost(call, `WARNING: ${call.text('Message') ?? ''}\r\n`)
    },
  },
  {
    name: 'Write-Verbose',
    parameters: 'Message',
    run: async call => {
      if (/^continue$/i.test(textOf(call.scope.get('VerbosePreference'))))
        await toHost(call, `VERBOSE: ${call.text('Message') ?? ''}\r\n`)
    },
  },
  { name: 'Write-Debug', parameters: 'Message', run: async () => {} },
  { name: 'Write-Information', since: 5, parameters: 'MessageData Tags=', run: async () => {} },
  {
    name: 'Write-Progress',
    parameters:
      'Activity Status Id PercentComplete= Completed? CurrentOperation= SecondsRemaining= ParentId=',
    run: async () => {},
  },
  { name: 'Out-Null', parameters: 'InputObject=', run: async () => {} },
  {
    name: 'Out-Host',
    parameters: 'InputObject= Paging?',
    run: async call => {
      for (const value of call.input) await call.shell.show(value)
    },
  },
  {
    name: 'Out-Default',
    parameters: 'InputObject=',
    run: async call => {
      for (const value of call.input) await call.shell.show(value)
    },
  },
  {
    name: 'Out-String',
    parameters: 'Width= Stream? InputObject=',
    run: async call => {
      const text = formatValues(subjects(call, 'InputObject'), call.shell)
      if (!call.flag('Stream')) return call.emit(text) as Promise<void>
      for (const line of text.replace(/\r\n$/, '').split('\r\n')) await call.emit(line)
    },
  },
  {
    name: 'Out-File',
    parameters: 'FilePath Encoding Append? Force? Width= NoClobber? NoNewline? InputObject=',
    run: async call => {
      const path = resolvePath(call.shell.call.cwd, call.text('FilePath') ?? '')
      const text = formatValues(subjects(call, 'InputObject'), call.shell)
      const encoding = (call.text('Encoding') ?? 'unicode').toLowerCase()
      const { files } = call.shell.call.system
      const mark =
        encoding === 'utf8'
          ? Buffer.from([0xef, 0xbb, 0xbf])
          : encoding === 'unicode'
            ? Buffer.from([0xff, 0xfe])
            : Buffer.alloc(0)
      const page =
        encoding === 'utf8' ? 65001 : encoding === 'unicode' ? 1200 : encoding === 'oem' ? 437 : 1252
      const append = call.flag('Append') && files.find(path) !== undefined
      files.write(path, Buffer.concat([append ? Buffer.alloc(0) : mark, encode(text, page)]), append)
    },
  },
  formatter('Format-List', values => list(values)),
  formatter('Format-Table', values => {
    const names = propertiesOf(values[0] ?? null).map(it => it.name)
    return table(
      names,
      values.map(it =>
        names.map(name => cell(propertiesOf(it).find(one => one.name === name)?.value ?? null)),
      ),
    )
  }),
  {
    name: 'Invoke-Expression',
    parameters: 'Command',
    run: call =>
      call.shell.runText(
        call.piped ? call.input.map(it => textOf(it)).join('\r\n') : (call.text('Command') ?? ''),
        call,
      ),
  },
  {
    name: 'Invoke-Command',
    parameters: 'ScriptBlock ArgumentList= ComputerName= NoNewScope?',
    run: async call => {
      if (call.text('ComputerName') !== undefined)
        throw fail({
          message: `[${call.text('ComputerName')}] Connecting to remote server failed with the following error message : The WinRM client cannot process the request.`,
          id: 'WinRMOperationTimeout,PSSessionStateBroken',
          category: 'OpenError',
        })
      const block = call.value('ScriptBlock')
      if (block instanceof ScriptBlock) await call.shell.run(block, call.list('ArgumentList'), call)
    },
  },
  {
    name: 'Start-Sleep',
    parameters: 'Seconds Milliseconds=',
    run: call => {
      const ms = call.value('Milliseconds')
      return call.shell.call.process.sleep(
        ms === null ? Number(call.value('Seconds') ?? 0) * 1000 : (wholeOf(ms) ?? 0),
      )
    },
  },
  { name: 'Set-StrictMode', parameters: 'Version= Off?', run: async () => {} },
  {
    name: 'Import-Module',
    parameters: 'Name Force? DisableNameChecking? PassThru? Global?',
    run: async () => {},
  },
  { name: 'Set-ExecutionPolicy', parameters: 'ExecutionPolicy Scope Force?', run: async () => {} },
  {
    name: 'Get-ExecutionPolicy',
    parameters: 'Scope List?',
    run: async call => {
      await call.emit(call.shell.major >= 4 ? 'RemoteSigned' : 'Restricted')
    },
  },
  {
    name: 'Set-Variable',
    parameters: 'Name Value Scope= Force? Option=',
    run: async call => {
      const scope = /global|script/i.test(call.text('Scope') ?? '') ? call.scope.root : call.scope
      scope.set(call.text('Name') ?? '', call.value('Value'))
    },
  },
  {
    name: 'Get-Variable',
    parameters: 'Name ValueOnly? Scope=',
    run: async call => {
      const name = call.text('Name') ?? ''
      const held = call.scope.find(name)
      if (!held)
        return call.trouble({
          message: `Cannot find a variable with the name '${name}'.`,
          type: 'System.Management.Automation.ItemNotFoundException',
          id: 'VariableNotFound',
          category: 'ObjectNotFound',
          target: name,
        })
      const value = held.get(name)
      await call.emit(
        call.flag('ValueOnly')
          ? value
          : new PsObject('System.Management.Automation.PSVariable', [
              ['Name', name],
              ['Value', value],
            ]),
      )
    },
  },
  {
    name: 'Get-Host',
    parameters: '',
    run: async call => {
      await call.emit(call.scope.get('Host'))
    },
  },
  {
    name: 'Get-Location',
    parameters: '',
    run: async call => {
      const { cwd } = call.shell.call
      await call.emit(
        new NetObject('System.Management.Automation.PathInfo', {
          get: { path: () => cwd, providerpath: () => cwd },
          text: () => cwd,
        }),
      )
    },
  },
  {
    name: 'Set-Location',
    parameters: 'Path LiteralPath=',
    run: async call => {
      const wanted = resolvePath(call.shell.call.cwd, call.text('Path') ?? call.text('LiteralPath') ?? '')
      if (call.shell.call.system.files.find(wanted)?.type !== 'folder')
        throw new PsError(
          errorRecord({
            message: `Cannot find path '${wanted}' because it does not exist.`,
            type: 'System.Management.Automation.ItemNotFoundException',
            id: 'PathNotFound,Microsoft.PowerShell.Commands.SetLocationCommand',
            category: 'ObjectNotFound',
            target: wanted,
            activity: 'Set-Location',
          }),
        )
      call.shell.call.cwd = wanted
      call.scope.root.set('PWD', wanted)
    },
  },
  {
    name: 'New-Object',
    parameters: 'TypeName ArgumentList ComObject= Property= Strict?',
    run: async call => {
      if (call.text('ComObject') !== undefined)
        throw fail({
          message: `Retrieving the COM class factory for component with CLSID {00000000-0000-0000-0000-000000000000} failed due to the following error: 80040154 Class not registered (Exception from HRESULT: 0x80040154 (REGDB_E_CLASSNOTREG)).`,
          id: 'NoCOMClassIdentified,Microsoft.PowerShell.Commands.NewObjectCommand',
          category: 'ResourceUnavailable',
          activity: 'New-Object',
        })
      const made = call.shell.newObject(call.text('TypeName') ?? '', call.list('ArgumentList'), call)
      for (const it of propertiesOf(call.value('Property'))) {
        if (made instanceof PsObject) made.set(it.name, it.value)
        else if (made instanceof NetObject) made.set[it.name.toLowerCase()]?.(it.value)
      }
      // A list that was made is one value, not its items.
      await call.emit(made)
    },
  },
  {
    name: 'Get-Content',
    parameters: 'Path LiteralPath= Encoding= TotalCount= Tail= Raw? ReadCount= Force?',
    run: async call => {
      const path = resolvePath(call.shell.call.cwd, call.text('Path') ?? call.text('LiteralPath') ?? '')
      const { data } = call.shell.call.system.files.file(path)
      const encoding = (call.text('Encoding') ?? '').toLowerCase()
      if (encoding === 'byte') {
        for (const byte of data) await call.emit(byte)
        return
      }
      const text =
        data[0] === 0xff && data[1] === 0xfe
          ? data.subarray(2).toString('utf16le')
          : data[0] === 0xef && data[1] === 0xbb
            ? data.subarray(3).toString('utf8')
            : decode(data, encoding === 'utf8' ? 65001 : 1252)
      if (call.flag('Raw')) return call.emit(text) as Promise<void>
      let lines = text.split(/\r?\n/)
      if (lines.at(-1) === '') lines.pop()
      const total = wholeOf(call.value('TotalCount'))
      const tail = wholeOf(call.value('Tail'))
      if (total !== undefined) lines = lines.slice(0, total)
      if (tail !== undefined) lines = lines.slice(-tail)
      for (const line of lines) await call.emit(line)
    },
  },
]
