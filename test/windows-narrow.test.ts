/** A Windows guest whose SSH server opens one channel at a time: slower, and in nothing else different. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { packageRoot } from '../src/config/package-root.js'
import { reachWindows } from './emulated-windows.js'

t.setTimeout(120_000)

/** How the persona speaks SSH, with one session. */
function narrowSsh(file: string): string {
  const text = readFileSync(join(packageRoot, 'fixtures/personas', file), 'utf8')
  const ssh = /^ssh:.*(?:\n .*)*/m.exec(text)?.[0] ?? ''
  return ssh.replace('maxSessions: 10', 'maxSessions: 1')
}

const doors = {
  'windows-2022': narrowSsh('parts/windows-openssh.yaml'),
  'windows-2022-powershell': narrowSsh('windows-2022-powershell.yaml'),
}

for (const [persona, ssh] of Object.entries(doors)) {
  t.test(`${persona} behind MaxSessions 1`, async t => {
    const { machine, guest, close } = await reachWindows(persona, {
      change: { folder: t.testdir(), text: ssh },
    })
    t.teardown(close)
    const temporary = await machine.temporaryFolder()
    for (let round = 0; round < 2; round += 1) {
      const { rows } = await machine.ask(['wmi', 'root\\cimv2', 'Name', 'Win32_ComputerSystem'])
      t.equal(rows.length, 1, 'PowerShell answers')
      await machine.writeFile(`${temporary}\\gc-narrow.txt`, Buffer.from(`round ${round}`))
      t.equal((await machine.readFile(`${temporary}\\gc-narrow.txt`)).toString(), `round ${round}`)
      t.equal(await machine.fileWay(), 'sftp', 'files go the same way as ever')
      const said = await Promise.all(['a', 'b', 'c'].map(word => machine.run(`echo ${word}`)))
      t.same(
        said.map(({ stdout }) => stdout.text.trim()),
        ['a', 'b', 'c'],
        'commands wait for one another',
      )
    }
    const limited = await machine.run('ping -n 60 127.0.0.1', { limitMs: 500 })
    t.match(limited.exit, { kind: 'limit' }, 'what must be stopped is stopped, over a connection of its own')
    t.notOk(machine.lost.aborted)
    t.equal((await machine.run('echo alive')).stdout.text.trim(), 'alive')
    t.equal(guest.counters.maxConcurrentChannels, 1)
  })
}
