/** The driver on an emulated ESXi host, whose commands are counted, refused and cancelled. */
import t, { type Test } from 'tap'
import { contract, type Subject } from '../contract.test.fixture.js'
import { type EmulatedEsxi, idOf, instance, never, startEsxi } from './emulated-host.test.fixture.js'

t.setTimeout(240_000)

function subjectOf(esxi: EmulatedEsxi): Subject {
  const { driver, counted, run, left } = esxi
  const { onCommand, refuse } = counted
  const act = async (verb: string): Promise<void> => {
    await run(`vim-cmd vmsvc/${verb} ${await idOf(esxi, instance)}`)
  }
  return {
    driver,
    request: esxi.request(),
    left,
    onCommand,
    refuse,
    end: () => act('power.off'),
    // Seen off in between it would be lost: the watch looks every 50 ms.
    restart: () =>
      esxi.unseen(async () => {
        await act('power.off')
        await act('power.on')
      }),
  }
}

contract(t, 'esxi', async (t: Test) => subjectOf(await startEsxi(t)))

t.test('ESXi 5.5, whose output has the older form, on a datastore with a blank in its name', async t => {
  const esxi = await startEsxi(t, { persona: 'esxi-5-shell' })
  const path = '/vmfs/volumes/local datastore/deb/deb.vmdk'
  const prepared = await esxi.driver.instance(esxi.request({ kind: 'copy', path })).prepare(never)
  const running = await prepared.start(never)
  t.match(await esxi.driver.facts(never), { product: 'esxi', version: '5.5.0', 'host build': '3248547' })
  t.match(running.facts, { 'vm file': `[local datastore] ${instance}/${instance}.vmx`, 'vm disk': 'pvscsi' })
  await running.snapshot?.('one', never)
  await running.pause?.(never)
  await running.revert?.('one', never)
  await running.shutdown?.(never)
  t.notOk(running.gone.aborted)
  await prepared.remove(never)
  t.notMatch(await esxi.run('vim-cmd vmsvc/getallvms;ls "/vmfs/volumes/local datastore"'), /gc-/)
})
