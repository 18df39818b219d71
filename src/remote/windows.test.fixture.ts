import type { ServerChannel } from 'ssh2'
import type { Answer } from './server.test.fixture.js'

/** How the guest behaves. */
export interface FakeOptions {
  readonly login?: 'cmd' | 'powershell' | 'cygwin'
  readonly serviceFails?: boolean
  /** taskkill kills nothing. */
  readonly immortal?: boolean
}

const has = ['certutil', 'reg', 'taskkill', 'wevtutil', 'wbem\\wmic', 'WindowsPowerShell\\v1.0\\powershell']
const look = `gc-tools\r\n${has.map(name => `gc-has ${name}.exe\r\n`).join('')}gc-chcp\r\nActive code page: 850\r\ngc-ver\r\n\r\nMicrosoft Windows [Version 10.0.20348.1]\r\ngc-ps\r\n    PowerShellVersion    REG_SZ    5.1.1\r\n`

/** As much of a Windows guest as the tests of the connection need: it knows lines by their looks, and reads nothing. */
export class FakeWindows {
  readonly commands: string[] = []
  readonly killed: number[] = []
  readonly files = new Map<string, Buffer>()
  starts = 0
  readonly #options: FakeOptions
  readonly #hanging = new Set<ServerChannel>()

  constructor(options: FakeOptions) {
    this.#options = options
  }

  readonly exec: Answer = (command, channel) => {
    const { login = 'cmd' } = this.#options
    if (command.startsWith('echo gc-shell')) {
      const said = {
        cmd: 'C:\\WINDOWS\\system32\\cmd.exe $PSHOME $?\r\n',
        powershell: '\r\n%ComSpec%\r\nC:\\Windows\\System32\\WindowsPowerShell\\v1.0\r\nTrue\r\n',
        cygwin: '%ComSpec%  0\n',
      }
      end(channel, `gc-shell ${said[login]}`, 0)
      return
    }
    const { nonce, last, settings, line } = this.#unwrap(command)
    this.commands.push(settings + line)
    channel.write(`${nonce}\r\n`)
    const finish = (text: string | Buffer, code: number | null, error = ''): void => {
      const mark = code === null || line.startsWith('no-last-line') ? '' : `${last} ${code | 0}\r\n`
      const status = code === null || login !== 'cygwin' ? code : code & 0xff
      end(channel, Buffer.concat([Buffer.from(text), Buffer.from(mark)]), status, error)
    }
    const [, status] = /^echo gc-tools.*&exit (\d+)$/.exec(line) ?? []
    if (status !== undefined) {
      finish(look, Number(status))
    } else {
      this.#run(line, channel, finish)
    }
  }

  /** Takes what the login shell was given apart. */
  #unwrap(command: string): { nonce: string; last: string; settings: string; line: string } {
    const { login = 'cmd' } = this.#options
    const [, last = ''] = /&echo (gc\w+e\w+) !ERRORLEVEL!&exit !ERRORLEVEL!['"%]/.exec(command) ?? []
    const quoted = /^\$gcLine='(.*)';\$env:GC_Q/s.exec(command)?.[1] ?? ''
    const forBash = /^GC_L=(.*) exec cmd\.exe/s.exec(command)?.[1] ?? ''
    const started = {
      cmd: command,
      powershell: quoted.replaceAll("''", "'").replaceAll('%GC_Q%', '"'),
      cygwin: forBash.replace(/'([^']*)'|\\(.)/g, '$1$2'),
    }[login]
    const [, nonce = '', rest = ''] = /^set GUESTCERT_MARK=[^&]*&echo (\w+)&((?:.|\n)*)$/.exec(started) ?? []
    if (login === 'cygwin') {
      return { nonce, last, settings: '', line: rest }
    }
    const [, settings = '', escaped = ''] =
      /^((?:set (?!GC_L)(?:\^.|[^&])*&)*)set GC_L=(.*)&cmd\.exe \/d \/v:on/s.exec(rest) ?? []
    return { nonce, last, settings, line: escaped.replace(/\^(.)/gs, '$1') }
  }

  #run(
    line: string,
    channel: ServerChannel,
    finish: (text: string | Buffer, code: number | null, error?: string) => void,
  ): void {
    if (line.startsWith('echo gc-temp')) {
      finish('gc-temp C:\\WINDOWS\\Temp\r\n', 0)
    } else if (line.startsWith('powershell.exe')) {
      this.#serve(line, channel, finish)
    } else if (line.startsWith('wmic') && line.includes('Win32_Process')) {
      finish(
        this.#hanging.size > 0 ? '\r\r\nProcessId=4711\r\r\n\r\r\n' : '\r\n',
        0,
        this.#hanging.size > 0 ? '' : 'No Instance(s) Available.\r\n',
      )
    } else if (line.startsWith('taskkill')) {
      this.#kill(line)
      finish('SUCCESS\r\n', 0)
    } else if (/^>+"/.test(line)) {
      for (const [, how, file = '', text = ''] of line.matchAll(/(>>?)"([^"]*)" echo ([^&]*)/g)) {
        const before = how === '>' ? Buffer.alloc(0) : (this.files.get(file) ?? Buffer.alloc(0))
        this.files.set(file, Buffer.concat([before, Buffer.from(`${text}\r\n`)]))
      }
      finish('', 0)
    } else if (line.startsWith('certutil')) {
      this.#certutil(line, finish)
    } else if (line.startsWith('hang')) {
      this.#hanging.add(channel)
    } else if (line.startsWith('vanish')) {
      finish('', null)
    } else if (line.startsWith('exit ')) {
      finish('', Number(line.slice(5)))
    } else if (line.startsWith('no-last-line')) {
      finish('', 0)
    } else {
      finish(Buffer.from([...Buffer.from('said '), 0x84, 0x0d, 0x0a]), 3)
    }
  }

  #kill(line: string): void {
    this.killed.push(...[...line.matchAll(/\/PID (\d+)/g)].map(([, pid]) => Number(pid)))
    if (this.#options.immortal !== true) {
      for (const channel of this.#hanging) {
        end(channel, '', 1)
      }
      this.#hanging.clear()
    }
  }

  #certutil(line: string, finish: (text: string, code: number) => void): void {
    const [, way, from = '', to = ''] = /-(decode|encode) "([^"]*)" "([^"]*)"/.exec(line) ?? []
    const content = this.files.get(from)
    if (content === undefined) {
      finish('CertUtil: The system cannot find the file specified.\r\n', 0x80070002)
    } else if (way === 'decode') {
      this.files.set(to, Buffer.from(content.toString().replace(/\s/g, ''), 'base64'))
      finish('CertUtil: -decode command completed successfully.\r\n', 0)
    } else {
      const lines = content.toString('base64').replace(/.{64}/g, '$&\r\n')
      finish(`-----BEGIN CERTIFICATE-----\r\n${lines}\r\n-----END CERTIFICATE-----\r\n`, 0)
    }
  }

  #serve(
    line: string,
    channel: ServerChannel,
    finish: (text: string, code: number, error?: string) => void,
  ): void {
    if (this.#options.serviceFails === true) {
      finish('', 1, 'not today\r\n')
      return
    }
    this.starts += 1
    channel.write('gc hello 5.1.1 99\r\n')
    const [, file] = /<"([^"]*)"/.exec(line) ?? []
    if (file !== undefined) {
      for (const request of (this.files.get(file)?.toString() ?? '').trim().split('\n')) {
        answer(request, channel, finish)
      }
      finish('', 0)
      return
    }
    let held = ''
    channel.on('data', (chunk: Buffer) => {
      const lines = (held + chunk.toString()).split('\n')
      held = lines.pop() ?? ''
      for (const request of lines) {
        answer(request, channel, finish)
      }
    })
    channel.on('end', () => finish('', 0))
  }
}

function answer(request: string, channel: ServerChannel, finish: (text: string, code: number) => void): void {
  const [id = '', , , , name = ''] = request.split('\t')
  if (request.split('\t')[1] === 'registry') {
    channel.write(`gc ${id} absent\r\n`)
  } else if (name === 'Broken') {
    channel.write(`gc ${id} error "Invalid class "\r\n`)
  } else if (name === 'Dies') {
    finish('', 5)
  } else if (name !== 'Slow') {
    channel.write(`gc ${id} row {"Name":"${name}"}\r\ngc ${id} end 1\r\n`)
  }
}

function end(channel: ServerChannel, text: string | Buffer, code: number | null, error = ''): void {
  channel.write(text)
  if (error !== '') {
    channel.stderr.write(error)
  }
  if (code !== null) {
    channel.exit(code)
  }
  channel.close()
}
