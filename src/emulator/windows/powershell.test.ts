import t from 'tap'
import { startWindows } from './client.test.helper.js'

const quiet = 'powershell -NoProfile -OutputFormat Text -EncodedCommand '
const encoded = (text: string): string => `${quiet}${Buffer.from(text, 'utf16le').toString('base64')}`

t.test('the language', async t => {
  const { text, run, guest, close } = await startWindows('windows-2022')
  t.teardown(close)
  const cases: readonly (readonly [script: string, output: string])[] = [
    ['1..3|%{$_*2}', '2\n4\n6\n'],
    ['"a$(1+1)b"; \'a$x\'', 'a2b\na$x\n'],
    ["$h=@{a=1;b=@(1,2)};$h.b.Count;$h['a']", '2\n1\n'],
    ["try{throw 'x'}catch{\"c $_\"}finally{'f'}", 'c x\nf\n'],
    ['function f($a,$b=2){return $a+$b};f 1;f -b 3 1', '3\n4\n'],
    ["switch(2){1{'one'}2{'two'}default{'d'}}", 'two\n'],
    ["'{0:x4} {1,5}' -f 255,'r'", '00ff     r\n'],
    ['$x=0;foreach($i in 1..9){if($i -eq 3){continue};if($i -gt 4){break};$x+=$i};$x', '7\n'],
    ["'a,b' -split ','|ForEach-Object{\"[$_]\"}", '[a]\n[b]\n'],
    ['(Get-CimInstance Win32_OperatingSystem).Version', '10.0.20348\n'],
    ['[pscustomobject]@{a=1;b="<"}|ConvertTo-Json -Compress', '{"a":1,"b":"\\u003c"}\n'],
    ["Get-Nope 2>$null;'on'", 'on\n'],
    ['cmd /c exit 5;$LASTEXITCODE', '5\n'],
  ]
  for (const [script, output] of cases) t.equal(await text(encoded(script)), output, script)
  t.equal((await run(encoded('exit 3'))).code, 3)
  t.equal((await run(encoded("throw 'x'"))).code, 1)
  t.equal((await run(encoded("Write-Error x;'y'"))).code, 0, 'a non-terminating error that is not the last')
  t.match((await run(encoded('1 1'))).stderr, 'Unexpected token', 'what is not in the grammar is refused')
  t.match(
    (await run(encoded('Get-Nope'))).stderr,
    "The term 'Get-Nope' is not recognized as the name of a cmdlet",
  )
  t.equal(guest.counters.powershellStarts, cases.length + 5, 'starts are counted')
})

t.test('errors are CLIXML for an encoded command', async t => {
  const { run, close } = await startWindows('windows-2022')
  t.teardown(close)
  const text = Buffer.from('Get-Nope', 'utf16le').toString('base64')
  t.match((await run(`powershell -EncodedCommand ${text}`)).stderr, /^#< CLIXML\r\n<Objs /)
  t.match((await run('powershell -EncodedCommand x%%')).stderr, 'not properly encoded')
})

t.test('version 2.0 has neither CIM nor JSON', async t => {
  const { text, run, close } = await startWindows('windows-2008-r2-sp1')
  t.teardown(close)
  t.match((await run(encoded('Get-CimInstance Win32_BIOS'))).stderr, "'Get-CimInstance' is not recognized")
  t.match((await run(encoded('1|ConvertTo-Json'))).stderr, "'ConvertTo-Json' is not recognized")
  t.match(
    await text(encoded('(Get-WmiObject Win32_OperatingSystem).LastBootUpTime')),
    /^\d{14}\.500000[-+]\d{3}\n$/,
  )
})

t.test('requests in runspaces of their own, read from standard input', async t => {
  const { run, close } = await startWindows('windows-2022')
  t.teardown(close)
  const script = `$w={param($n)[Console]::Out.WriteLine("got $n $((Get-CimInstance -Query 'SELECT Name FROM Win32_BIOS').Name)")}
$p=[RunspaceFactory]::CreateRunspacePool(1,4);$p.Open();$r=@()
while($null -ne ($l=[Console]::In.ReadLine())){$s=[PowerShell]::Create();$s.RunspacePool=$p;[void]$s.AddScript($w).AddArgument($l);$r+=,@($s,$s.BeginInvoke())}
foreach($x in $r){[void]$x[1].AsyncWaitHandle.WaitOne()};'bye'`
  const { stdout, code } = await run(encoded(script), 'a\nb\n')
  const lines = stdout.toString().trim().split('\r\n')
  t.equal(code, 0)
  t.equal(lines.length, 3)
  t.match(lines.join('\n'), /^got a .+$/m)
  t.equal(lines.at(-1), 'bye')
})

t.test('a login shell that is PowerShell', async t => {
  const { text, run, close } = await startWindows('windows-2019')
  t.teardown(close)
  t.match(await text('echo gc %ComSpec% $PSHOME $0'), /^gc\n%ComSpec%\nC:\\.*v1\.0\n/)
  t.equal((await run('cmd /c exit 4;exit $LASTEXITCODE')).code, 4)
})
