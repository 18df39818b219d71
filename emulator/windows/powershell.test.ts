import t from 'tap'
import {
  encodedCommand,
  lineText,
  loginProbe,
  readerText,
  scriptText,
  serviceText,
  withData,
} from '../../src/remote/shells/windows/powershell-text.js'
import { startWindows } from './client.test.helper.js'
import { recognise } from './powershell/texts.js'

const quiet = 'powershell -NoProfile -OutputFormat Text -EncodedCommand '

t.test('the texts that guestcert sends are recognised, with their data, and no other', t => {
  t.strictSame(recognise(serviceText), { name: 'service', data: '' })
  t.strictSame(recognise(withData(scriptText, 'gc1 YQ==')), { name: 'script', data: 'gc1 YQ==' })
  t.strictSame(recognise(withData(readerText, 'YQ==')), { name: 'reader', data: 'YQ==' })
  t.strictSame(recognise(loginProbe), { name: 'login-probe', data: '' })
  t.strictSame(recognise(`$gcLine='it''s %A%';${lineText}`), { name: 'login-line', data: "it's %A%" })
  for (const text of [serviceText, withData(scriptText, 'gc1 YQ=='), loginProbe]) {
    t.equal(recognise(`${text} `), undefined, 'a text with one character more is another one')
    t.equal(recognise(text.replace('e', 'E')), undefined)
  }
  t.equal(recognise(''), undefined)
  t.end()
})

t.test('what is not a text of guestcert is refused, and starts are counted', async t => {
  const { run, guest, close } = await startWindows('windows-2022')
  t.teardown(close)
  for (const command of ['powershell -Command 1+1', `${quiet}${encodedCommand('exit 0')}`]) {
    const { code, stdout, stderr } = await run(command)
    t.equal(code, 1, command)
    t.equal(stdout.length, 0)
    t.match(stderr, /emulator: this guest does not run PowerShell: ".*" is not a text of guestcert/)
  }
  t.match((await run('powershell -EncodedCommand x%%')).stderr, 'not properly encoded')
  t.equal(guest.counters.powershellStarts, 3)
})

t.test('the service answers requests, forgets what is stopped, and ends with its input', async t => {
  const { run, close } = await startWindows('windows-2022')
  t.teardown(close)
  const requests = [
    '1\twmi\troot\\\\cimv2\tBuildNumber,CSDVersion\tWin32_OperatingSystem',
    '2\twmi\troot\\\\cimv2\tName\tWin32_None',
    '3\tregistry\tHKLM\tSOFTWARE\\\\None',
    '4\tnow',
    '5\tnope',
    '6\tstop\t1',
    '7\twmi\troot\\\\cimv2\tLastBootUpTime\tWin32_OperatingSystem',
  ]
  const { code, stdout } = await run(`${quiet}${encodedCommand(serviceText)}`, `${requests.join('\n')}\n`)
  const lines = stdout.toString().trim().split('\r\n')
  t.equal(code, 0)
  t.match(lines[0], /^gc hello 5\.1\.20348\.859 \d+$/)
  for (const pattern of [
    /^gc 2 error "Invalid class "$/,
    /^gc 3 absent$/,
    /^gc 4 row \{"ticks":"\d{18}"\}$/,
    /^gc 4 end 1$/,
    /^gc 5 fault "nope"$/,
    /^gc 7 row \{"LastBootUpTime":"\d{14}\.\d{6}\+000"\}$/,
  ]) {
    t.ok(
      lines.some(line => pattern.test(line)),
      String(pattern),
    )
  }
})

t.test('version 2.0 hands out times as WMI writes them', async t => {
  const { run, close } = await startWindows('windows-2008-r2-sp1')
  t.teardown(close)
  const request = '1\twmi\troot\\\\cimv2\tLastBootUpTime\tWin32_OperatingSystem\n'
  const { stdout } = await run(`${quiet}${encodedCommand(serviceText)}`, request)
  t.match(stdout.toString(), /row \{"LastBootUpTime":"\d{14}\.500000[-+]\d{3}"\}/)
})

t.test('each branch words its errors, and times that are not whole, in its own way', async t => {
  const requests = [
    '1\twmi\troot\\\\cimv2\tName\tWin32_None',
    '2\twmi\troot\\\\cimv2\tDriverDate\tWin32_PnPSignedDriver',
  ]
  const answers = async (persona: string): Promise<string> => {
    const { run, close } = await startWindows(persona)
    t.teardown(close)
    const { stdout } = await run(`${quiet}${encodedCommand(serviceText)}`, `${requests.join('\n')}\n`)
    return stdout.toString()
  }
  const byWmi = await answers('windows-2008-r2-sp1')
  t.match(byWmi, 'gc 1 error "Invalid class \\"Win32_None\\""')
  t.match(byWmi, /gc 2 row \{"DriverDate":"\d{14}\.\*{6}\+\*{3}"\}/)
  const byCim = await answers('windows-2012-r2')
  t.match(byCim, 'gc 1 error "Invalid class "')
  t.match(byCim, /gc 2 row \{"DriverDate":"\d{14}\.000000\+000"\}/)
})

t.test('a login shell that is PowerShell', async t => {
  const { text, run, close } = await startWindows('windows-2019')
  t.teardown(close)
  t.match(await text(loginProbe), /^gc-shell\n%ComSpec%\nC:\\.*v1\.0\nTrue\n/)
  t.equal((await run(`$gcLine='echo %GC_Q%a%GC_Q%&exit 4';${lineText}`)).code, 4)
  t.equal((await run('cmd /c exit 0')).code, 1, 'any other line is refused')
})
