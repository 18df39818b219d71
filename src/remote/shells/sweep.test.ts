/** The sweep in the shells of emulated guests, whose sed is yet another one. */
import t from 'tap'
import { connect, startGuest } from '../../../emulator/client.test.helper.js'
import { parseSweep, sweepCommand } from './sweep.js'
import { markVariable } from './wrap.js'

for (const persona of ['debian-12', 'rhel-5.11', 'sles-11-sp4']) {
  t.test(persona, async t => {
    const guest = await startGuest(persona)
    const client = await connect(guest)
    t.teardown(async () => {
      client.end()
      await guest.close()
    })
    const start = async (mark: string, seconds: number): Promise<void> => {
      const command = `${markVariable}=${mark} setsid sleep ${seconds} >/dev/null 2>&1 </dev/null &`
      t.equal((await client.run(command)).code, 0)
    }
    await start('lab.1/g+1/run-1', 7001)
    await start('lab.1/g+1', 7002)
    await start('lab.1/g+12/run-1', 7003)
    await start('labx1/g+1', 7004)
    const first = await client.run(sweepCommand({ mark: 'lab.1/g+1' }))
    t.strictSame([first.stdout, first.stderr], ['gc-swept 2\n', ''], 'it finds what is marked')
    const { stdout } = await client.run(
      'cat /proc/[0-9]*/cmdline | tr "\\000" " " | grep -o "sleep 700[0-9]"',
    )
    t.strictSame(stdout.trim().split('\n').sort(), ['sleep 7003', 'sleep 7004'], 'others go on')
    const again = await client.run(sweepCommand({ mark: 'lab.1/g+1' }))
    t.strictSame(parseSweep(again.stdout), { killed: 0, left: [] })
  })
}
