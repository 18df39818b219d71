import t from 'tap'
import { commandText, longTexts } from './catalog.js'
import { foreignToOlder } from './older-powershell.test.fixture.js'
import { encodedCommand, loginLine, loginProbe, withData } from './powershell-text.js'
import { encodedArgs, runPwsh, withoutPwsh } from './pwsh.test.fixture.js'

t.setTimeout(300_000)

const allowed: readonly string[] = [
  "if($PSVersionTable.PSVersion.Major -gt 2){Get-CimInstance -Query 'x'}else{Get-WmiObject -Query 'x'}",
  'if($PSVersionTable.PSVersion.Major -gt 2){1 -in 2}',
  'function Gc-A($x){$x}\nGc-A 1|ForEach-Object{$_}',
  'Get-Process -ErrorAction Stop',
  '"`n"; 0x1F; 1.5e3; 5kb; Get-Date 2>&1',
  'try{throw 1}catch{2}finally{3}',
  '&{1}; . {2}; $a.Replace("a","b")',
]

const refused: readonly (readonly [text: string, finding: string])[] = [
  ['1\n(1)?.z', 'line 2: ?. came with 7.1'],
  ['(1)?[0]', 'line 1: ?[ came with 7.1'],
  ['$a ?? 1', 'line 1: ?? came with 7.0'],
  ['$a ??= 1', 'line 1: ??= came with 7.0'],
  ['\n\n$x ? 1 : 2', 'line 3: a ternary operator came with 7.0'],
  ['Get-Date && Get-Date', 'line 1: && or || between pipelines came with 7.0'],
  ['Get-Date &', 'line 1: & at the end of a pipeline came with 6.0'],
  ['Get-Date\n|Out-String', 'line 2: a line that begins with | came with 7.0'],
  ['0b11', 'line 1: a number of this form came with 7.0'],
  ['10u', 'line 1: a number of this form came with 7.0'],
  ['"`e[0m"', 'line 1: `e came with 6.0'],
  ['$IsWindows', 'line 1: $IsWindows came with 6.0'],
  ['class X{}', 'line 1: a class or enum came with 5.0'],
  ['[int]::new()', 'line 1: ::new() came with 5.0'],
  ['using namespace System', 'line 1: using came with 5.0'],
  ['Get-Date 6>$null', 'line 1: the stream of information came with 5.0'],
  ['(1,2).ForEach({$_})', 'line 1: .ForEach() came with 4.0'],
  ['(1,2).Where{$_}', 'line 1: .Where() came with 4.0'],
  ['[ordered]@{}', 'line 1: [ordered]@{} came with 3.0'],
  ['[pscustomobject]@{}', 'line 1: [pscustomobject]@{} came with 3.0'],
  ['1 -in 1,2', 'line 1: -in came with 3.0'],
  ['1 -notin 1,2', 'line 1: -notin came with 3.0'],
  ['1 -shl 2', 'line 1: -shl came with 3.0'],
  ['1|ForEach-Object{$PSItem}', 'line 1: $PSItem came with 3.0'],
  ['Get-Date 3>&1', 'line 1: a stream beside output and errors came with 3.0'],
  ['function Gc-A{param([Parameter(Mandatory)]$x)}', 'line 1: an attribute without a value came with 3.0'],
  ['if($PSVersionTable.PSVersion.Major -gt 2){\n$a ?? 1}', 'line 2: ?? came with 7.0'],
  ['if (', "line 1: Missing condition in if statement after 'if ('."],
  ['function R{1}', 'line 1: R is an alias'],
  ['function GcV{1}', 'line 1: GcV has no prefix and hyphen'],
  ['function Show($n){1}', 'line 1: Show has no prefix and hyphen'],
  ['1|%{$_}', 'line 1: % is an alias'],
  ['gwmi x', 'line 1: gwmi is an alias'],
  ['Get-NoSuchCommand', 'line 1: Get-NoSuchCommand is unknown'],
  ['1\nGet-CimInstance -Query x', 'line 2: Get-CimInstance is not in 2.0'],
  ["'{}'|ConvertFrom-Json", 'line 1: ConvertFrom-Json is not in 2.0'],
  ['Get-Process -IncludeUserName', 'line 1: Get-Process -IncludeUserName is not in 2.0, 3.0'],
  ['1|ForEach-Object -MemberName x', 'line 1: ForEach-Object -MemberName is not in 2.0'],
  ['Get-WmiObject -Quer x', 'line 1: Get-WmiObject -Quer is not in 2.0, 3.0, 4.0, 5.1'],
  [
    'if($PSVersionTable.PSVersion.Major -gt 2){1}else{Get-CimInstance}',
    'line 1: Get-CimInstance is not in 2.0',
  ],
]

t.test('what an older PowerShell lacks is found, with its line', { skip: withoutPwsh }, async t => {
  const found = await foreignToOlder(
    Object.fromEntries([...allowed, ...refused.map(([text]) => text)].map(text => [text, text])),
  )
  for (const text of allowed) t.strictSame(found[text], [], text)
  for (const [text, finding] of refused) t.strictSame(found[text], [finding], text)
})

t.test(
  'no text of ours has anything that a version from 2.0 to 5.1 lacks',
  { skip: withoutPwsh },
  async t => {
    const found = await foreignToOlder({
      ...Object.fromEntries(Object.entries(longTexts).map(([name, text]) => [name, withData(text, 'x')])),
      'login-line': loginLine,
      'in-powershell': commandText('in-powershell', { 'LINE-QUOTED': 'echo x' }),
      'login-probe': loginProbe,
    })
    t.strictSame(found, {
      ...Object.fromEntries(Object.keys(longTexts).map(name => [name, []])),
      'login-line': [],
      'in-powershell': [],
      // The one word that cmd, bash and every PowerShell know.
      'login-probe': ['line 1: echo is an alias'],
    })
  },
)

t.test('every alias of this PowerShell is among those that were recorded', { skip: withoutPwsh }, async t => {
  const text = 'Get-Alias|ForEach-Object{$_.Name}'
  const { stdout } = await runPwsh(encodedArgs(encodedCommand(text)))
  const functions = stdout.text
    .trim()
    .split(/\s+/)
    .map(name => `function ${name}{1}`)
  const found = await foreignToOlder(Object.fromEntries(functions.map(text => [text, text])))
  for (const text of functions) t.match(found[text]?.[0], / is an alias$/, text)
})
