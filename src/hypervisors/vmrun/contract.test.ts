/** The driver on an emulated VMware Workstation, whose commands are counted, refused and cancelled. */
import t, { type Test } from 'tap'
import type { CleanState } from '../../config/model.js'
import { contract, type Subject } from '../contract.test.fixture.js'
import {
  type EmulatedWorkstation,
  instance,
  never,
  ownFile,
  startWorkstation,
  vmFile,
} from './emulated-host.test.fixture.js'

t.setTimeout(240_000)

function subjectOf({ driver, counted, run, left, request }: EmulatedWorkstation): Subject {
  return {
    driver,
    request: request(),
    left,
    onCommand: counted.onCommand,
    refuse: counted.refuse,
    end: async () => void (await run(`vmrun -T ws stop "${ownFile}" hard`)),
    // Nothing on the host tells a start from the one before: there is no restart that could be told of.
  }
}

contract(t, 'vmrun', async (t: Test) => subjectOf(await startWorkstation(t)))

t.test('a full clone, and the VM itself at its snapshot', async t => {
  const { driver, run, request, left } = await startWorkstation(t)
  const copy = await driver.instance(request({ kind: 'copy', path: 'first' })).prepare(never)
  const running = await copy.start(never)
  t.match(running.facts, { 'image snapshot': 'first', 'vm file': ownFile, 'vm disk': 'pvscsi' })
  t.match(await run('vmrun -T ws list'), ownFile)
  await copy.remove(never)
  t.strictSame(await left(), [])

  const same = await driver.instance(request({ kind: 'snapshot', name: 'sealed' })).prepare(never)
  const itself = await same.start(never)
  t.equal(itself.facts['vm file'], vmFile)
  await itself.snapshot?.('one', never)
  t.match(await driver.leftovers?.(never), [{ name: instance, shared: true, kept: false }])
  await same.remove(never)
  t.equal(await run('vmrun -T ws list'), 'Total running VMs: 0\n')
  t.equal(await run(`vmrun -T ws listSnapshots "${vmFile}"`), 'Total snapshots: 2\nfirst\nsealed\n')
  t.strictSame(await left(), [])
})

t.test('a lent VM is given back as it was found', async t => {
  const none: CleanState = { kind: 'none' }
  for (const found of ['running', 'suspended', 'off'] as const) {
    const { driver, run, request, left } = await startWorkstation(t)
    await run(found === 'off' ? ':' : `vmrun -T ws start "${vmFile}" nogui`)
    await run(found === 'suspended' ? `vmrun -T ws suspend "${vmFile}" hard` : ':')
    const lent = await driver.instance(request(none)).prepare(never)
    const running = await lent.start(never)
    await running.snapshot?.('one', never)
    await lent.remove(never)
    const states = `vmrun -T ws list|grep -c deb.vmx;ls "${vmFile.replace(/deb\.vmx$/, '')}"|grep -c vmss`
    const wanted = { running: '1\n0\n', suspended: '0\n1\n', off: '0\n0\n' }
    t.equal(await run(states), wanted[found], found)
    t.equal(await run(`vmrun -T ws listSnapshots "${vmFile}"`), 'Total snapshots: 2\nfirst\nsealed\n')
    t.strictSame(await left(), [])
  }
})

t.test('what a dead runner left is found by another, and removed', async t => {
  const { driver, openDriver, request, left } = await startWorkstation(t)
  await (await driver.instance(request()).prepare(never)).start(never)
  const other = openDriver()
  t.match(await other.leftovers?.(never), [
    { name: instance, what: 'a VM (running)', shared: false, kept: false },
  ])
  await other.clean?.(instance, never)
  t.strictSame(await left(), [])
  t.strictSame(await other.leftovers?.(never), [])
})

t.test('what cannot be made is refused, in words that say why', async t => {
  const { driver, request, left, run } = await startWorkstation(t)
  const refused = async (given: ReturnType<typeof request>, message: RegExp): Promise<void> => {
    const made = driver.instance(given)
    await t.rejects(made.prepare(never), message)
    await made.remove(never)
    t.strictSame(await left(), [])
  }
  await refused(request({ kind: 'overlay', path: 'nothing' }), /no snapshot "nothing": it has first, sealed/)
  await refused(request(undefined, { vm: '/vms/gone.vmx' }), /there is no configuration \/vms\/gone\.vmx/)
  await refused(
    request(undefined, { configuration: { name: 'large', vcpus: 4 } }),
    /not as the lab declares it: vcpus is 1, not 4/,
  )
  await run(`vmrun -T ws start "${vmFile}" nogui`)
  await refused(request(), /is running: a clone is made of one that is off/)
})

t.test('VMware Server is refused with the reason, and nothing is asked of its vmrun', async t => {
  const { driver, request, counted } = await startWorkstation(t, { persona: 'vmware-server-2' })
  const reason = /VMware Server is not driven: its vmrun takes the password in its arguments/
  await t.rejects(driver.facts(never), reason)
  await t.rejects(driver.instance(request()).prepare(never), reason)
  t.notMatch(counted.commands.join('\n'), /vmrun -T/)
})
