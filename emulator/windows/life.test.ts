import { setTimeout as wait } from 'node:timers/promises'
import t from 'tap'
import { type Session, startWindows } from './client.test.helper.js'

const newest =
  'wevtutil qe System /q:"*[System[Provider[@Name=\'EventLog\'] and (EventID=6005)]]" /rd:true /c:1 /f:xml'
const record = (xml: string): number => Number(/<EventRecordID>(\d+)</.exec(xml)?.[1])

async function rebooted({ guest, reconnect }: Session): Promise<void> {
  for (const until = performance.now() + 120_000; guest.counters.boots < 2; await wait(20))
    if (performance.now() > until) throw new Error('no reboot in two minutes')
  await reconnect()
}

t.test('a reboot that was asked for', async t => {
  const session = await startWindows('windows-2022')
  t.teardown(session.close)
  const before = record(await session.text(newest))
  await session.run('echo kept>C:\\kept.txt')
  t.equal((await session.run('shutdown -r -f -t 0 -c "guestcert n1" -d p:0:0')).code, 0)
  await rebooted(session)
  t.ok(record(await session.text(newest)) > before, 'event 6005 has a higher record number')
  t.match(
    await session.text('wevtutil qe System /q:"*[System[(EventID=1074)]]" /rd:true /c:1 /f:xml'),
    '<Data>guestcert n1</Data>',
  )
  t.equal(
    await session.text('wevtutil qe System /q:"*[System[(EventID=6008 or EventID=41)]]" /f:xml'),
    '',
    'it was in order',
  )
  t.equal(await session.text('type C:\\kept.txt'), 'kept\n', 'the disk outlives it')
})

t.test('a reboot that nobody asked for', async t => {
  const session = await startWindows('windows-2022+dirty-shutdown')
  t.teardown(session.close)
  t.match(await session.text('wevtutil qe System /q:"*[System[(EventID=6008)]]" /f:xml'), '6008')
})

t.test('a planned end can be taken back', async t => {
  const { run, guest, close } = await startWindows('windows-2012-r2')
  t.teardown(close)
  t.equal((await run('shutdown /s /t 60')).code, 0)
  t.equal((await run('shutdown /s /t 60')).code, 1190)
  t.equal((await run('shutdown /a')).code, 0)
  t.equal((await run('shutdown /a')).code, 1116)
  t.equal(guest.state, 'running')
})

t.test('taskkill ends a command and what it started', async t => {
  const { run, text, close } = await startWindows('windows-2008-sp2')
  t.teardown(close)
  const slow = run('set MARK=m1&ping -n 6000 127.0.0.1')
  let pid: string | undefined
  for (
    const until = performance.now() + 120_000;
    pid === undefined && performance.now() < until;
    await wait(20)
  )
    pid = /ProcessId=(\d+)/.exec(
      await text(
        "wmic process where \"CommandLine LIKE '%MARK=m1%' AND NOT CommandLine LIKE '%wmic%'\" get ProcessId /value",
      ),
    )?.[1]
  t.ok(pid, 'the mark finds it')
  t.match(await text(`taskkill /T /F /PID ${pid}`), 'SUCCESS')
  t.equal((await slow).code, 1)
  t.equal((await run(`taskkill /F /PID ${pid}`)).code, 128, 'it is gone')
})

t.test('mutants change the system behind every front', async t => {
  const look = async (mutant: string, command: string): Promise<string> => {
    const session = await startWindows(`windows-2022+${mutant}`)
    const text = await session.text(command)
    await session.close()
    return text
  }
  t.match(
    await look('one-cpu-less', 'wmic computersystem get NumberOfLogicalProcessors /value'),
    'NumberOfLogicalProcessors=1',
  )
  t.match(await look('wrong-uuid', 'wmic csproduct get UUID /value'), 'FFFFFFFF-FFFF')
  t.match(
    await look(
      'device-error',
      'wmic path Win32_PnPEntity where "ConfigManagerErrorCode<>0" get ConfigManagerErrorCode /value',
    ),
    '=28',
  )
  t.equal(await look('blind-devices', 'wmic path Win32_PnPEntity get Name /value'), '')
  t.match(
    await look('unsigned-driver', 'wmic path Win32_PnPSignedDriver get IsSigned /value'),
    'IsSigned=FALSE',
  )
  t.match(await look('kdnic', 'wmic nic get ServiceName /value'), 'ServiceName=kdnic')
  t.match(await look('service-stopped', 'sc query LanmanServer'), '1067')
  t.match(await look('stop-error', 'if exist C:\\Windows\\MEMORY.DMP echo there'), 'there')
  t.match(await look('critical-events', 'wevtutil qe System /q:"*[System[(Level=2)]]" /f:xml'), 'Disk')
  t.match(
    await look('evaluation-ended', 'wmic path SoftwareLicensingProduct get LicenseStatus /value'),
    'LicenseStatus=5',
  )
})
