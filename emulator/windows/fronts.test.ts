import t from 'tap'
import { startWindows } from './client.test.helper.js'

t.test('every persona says its version, its folder and the status of its commands', async t => {
  const versions: Readonly<Record<string, string>> = {
    'windows-2000-sp4': '[Version 5.00.2195]',
    'windows-2003-sp2': '[Version 5.2.3790]',
    'windows-2008-sp2': '[Version 6.0.6002]',
    'windows-2008-r2-sp1': '[Version 6.1.7601]',
    'windows-2012-r2': '[Version 6.3.9600]',
    'windows-2016': '[Version 10.0.14393]',
    'windows-2022': '[Version 10.0.20348.887]',
    'windows-2025': '[Version 10.0.26100.1742]',
  }
  for (const [persona, version] of Object.entries(versions)) {
    const session = await startWindows(persona)
    t.match(await session.text('ver'), version, persona)
    t.equal((await session.run('exit 3010')).code, 3010, `${persona}: statuses have 32 bits`)
    await session.close()
  }
})

t.test('cmd', async t => {
  const { text, run, close } = await startWindows('windows-2022')
  t.teardown(close)
  t.equal(await text('echo a ^& b&echo "c & d"'), 'a & b\n"c & d"\n', 'carets and quotes')
  t.equal(await text('echo %OS% %nope%'), 'Windows_NT %nope%\n', 'what is not set stays')
  t.equal(await text('set X=1&echo %X%'), '%X%\n', 'a line is expanded once')
  t.equal(
    await text('for %t in (1 2) do @echo %t&echo x'),
    '1\nx\n2\nx\n',
    'the rest of the line belongs to the body',
  )
  t.equal(await text('if 1==2 echo a&echo b'), '', 'to that of IF as well')
  t.equal(await text('(if 1==2 (echo a) else (echo b))&echo c'), 'b\nc\n', 'parentheses end it')
  t.equal(await text('echo one|find "o"&&echo yes'), 'one\nyes\n', 'pipes and conditions')
  t.equal((await run('nope')).code, 1, 'an unknown command')
  t.match((await run('nope')).stderr, "'nope' is not recognized as an internal or external command")
  t.equal(
    await text('echo hi>x.txt&type x.txt&del x.txt&if not exist x.txt echo gone'),
    'hi\ngone\n',
    'files',
  )
  t.equal(await text('chcp 65001>nul&chcp'), 'Active code page: 65001\n', 'code pages')
})

t.test('wmic, reg, sc and wevtutil', async t => {
  const { text, run, close } = await startWindows('windows-2008-sp2')
  t.teardown(close)
  const raw = (await run('wmic os get BuildNumber,Version /value')).stdout.toString()
  t.match(raw, 'BuildNumber=6002\r\r\nVersion=6.0.6002\r\r\n', 'lines of wmic end in CR CR LF')
  t.match(
    await text('wmic os get Caption /value'),
    'Microsoftr Windows Serverr 2008 Standard',
    'as the code page has it',
  )
  t.match(await text('wmic path Win32_NetworkAdapter get ServiceName /value'), 'ServiceName=netkvm')
  const wrong = await run('wmic path Win32_Nope get Name /value')
  t.match(wrong.stderr, 'Description = Invalid class')
  t.not(wrong.code, 0)
  t.match(
    await text('reg query "HKLM\\SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion" /v CurrentBuild'),
    '    CurrentBuild    REG_SZ    6002',
  )
  t.match(await text('sc query EventLog'), 'STATE              : 4  RUNNING')
  t.equal((await run('sc query nope')).code, 1060)
  const events = await text('wevtutil qe System /q:"*[System[(EventID=6005)]]" /rd:true /c:1 /f:xml')
  t.match(events, /<EventID Qualifiers='\d+'>6005<\/EventID>/)
  t.equal((await run('wevtutil qe Nope')).code, 15007, 'no such log')
  t.equal((await run('powershell -Command 1')).code, 1, 'it has no PowerShell')
})

t.test('what a version lacks, its persona lacks', async t => {
  const old = await startWindows('windows-2003-sp2')
  t.match((await old.run('wmic os get OSArchitecture /value')).stderr, 'Invalid query')
  t.match((await old.run('wevtutil el')).stderr, 'is not recognized')
  t.match(
    await old.text('cscript //nologo eventquery.vbs /l System /fi "id eq 6005" /fo csv'),
    '"Information","6005"',
  )
  t.match(
    await old.text('reg query HKLM\\SYSTEM\\CurrentControlSet\\Control\\CrashControl'),
    '! REG.EXE VERSION 3.0',
  )
  await old.close()
  const newest = await startWindows('windows-2025')
  t.match((await newest.run('wmic os get Caption')).stderr, 'is not recognized')
  await newest.close()
})

t.test('a command line of Cygwin is handed on to cmd', async t => {
  const { text, close } = await startWindows('windows-2003-r2')
  t.teardown(close)
  t.equal(await text('echo gc %ComSpec% $PSHOME $? $0'), 'gc %ComSpec%  0 bash\n')
  const line = `GC_L='echo "a b"&exit 7' exec cmd.exe /d /v:on /s /c 'cmd.exe /d /s /c !GC_L!&echo N !ERRORLEVEL!'`
  t.equal(await text(line), '"a b"\nN 7\n')
})
