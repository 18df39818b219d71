import t, { type Test } from 'tap'
import { personaFolder } from '../../harness.test.helper.js'
import { startEmulatedHost } from '../host.js'
import { type Stand, standOn, users } from '../stand.test.helper.js'

async function stand(t: Test): Promise<Stand> {
  const host = await startEmulatedHost({
    name: 'xs-1',
    persona: 'xenserver-8',
    personaFolders: [personaFolder],
    users,
    vms: [
      {
        name: 'deb',
        guest: { persona: 'debian-12', users },
        hardware: { vcpus: 1, memoryBytes: 2 ** 29, mode: 'hvm' },
        snapshots: ['sealed'],
      },
    ],
  })
  t.teardown(() => host.close())
  return standOn(t, host)
}

t.test('xe lists, refuses and fails in the words of xapi', async t => {
  const { run } = await stand(t)
  const [uuid] = await run("xe vm-list params=uuid,name-label,power-state|sed -n 's/^uuid .*: //p'")
  const vm = uuid.trim()
  t.match(vm, /^[0-9a-f-]{36}$/)
  // The alignment of a log (index file 3809234439): right to the longest name, the first one left.
  t.strictSame(await run('xe vm-list params=uuid,name-label,power-state'), [
    `uuid ( RO)           : ${vm}\n     name-label ( RW): deb\n    power-state ( RO): halted\n\n\n`,
    '',
    0,
  ])
  t.strictSame(await run('xe vm-list name-label=nobody'), ['', '', 0], 'nothing matches: no output, status 0')
  t.strictSame(await run('xe vm-eat'), ['', "Unknown command: vm-eat\nFor usage run: 'xe help'\n", 1])
  t.strictSame(await run(`xe vm-clone uuid=${vm}`), [
    '',
    "Required parameter not found: new-name-label\nFor usage run: 'xe help'\n",
    1,
  ])
  t.strictSame(await run('xe vm-param-get uuid=0a0a param-name=power-state'), [
    '',
    'The uuid you supplied was invalid.\ntype: VM\nuuid: 0a0a\n',
    1,
  ])
  // The form of a log (index file 6011640226): the sentence, then the parameters, references as `uuid (name)`.
  const [, wrong, code] = await run(`xe vm-pause uuid=${vm}`)
  t.match(
    wrong,
    new RegExp(`at the time of the call\\.\nvm: ${vm} \\(deb\\)\nexpected: running\nactual: halted\n$`),
  )
  t.equal(code, 1)
  t.match(await run('xe vm-pause'), ['', /^Multiple matches VMs found\. --multiple required/, 1])
})

t.test('a guest is started, is heard when it is up, and goes back to its snapshot', async t => {
  const { run } = await stand(t)
  const uuid = (await run("xe vm-list params=uuid|sed -n 's/^uuid .*: //p'"))[0].trim()
  t.strictSame(await run(`xe vm-start uuid=${uuid} on=xs-1`), ['', '', 0])
  t.match(await run(`xe vm-shutdown uuid=${uuid}`), [
    '',
    /^You attempted an operation on a VM which lacks/,
    1,
  ])
  const networks = `xe vm-param-get uuid=${uuid} param-name=networks`
  t.strictSame(await run(networks), ['<not in database>\n', '', 0], 'the tools are not up yet')
  const [address] = await run(`until ${networks}|grep ip;do sleep 0.1;done`)
  t.match(address, /^0\/ip: 10\.71\.58\.\d+; 0\/ipv4\/0: 10\.71\.58\.\d+\n$/)
  const [checkpoint] = await run(`xe vm-checkpoint uuid=${uuid} new-name-label=one`)
  t.match(checkpoint, /^[0-9a-f-]{36}\n$/)
  t.strictSame(await run(`xe snapshot-revert snapshot-uuid=${checkpoint.trim()}`), ['', '', 0])
  const state = `xe vm-param-get uuid=${uuid} param-name=power-state`
  t.equal((await run(state))[0], 'suspended\n', 'after a checkpoint it goes on with its memory')
  await run(`xe vm-resume uuid=${uuid}`)
  t.equal((await run(state))[0], 'running\n')
  t.strictSame(await run(`xe snapshot-uninstall snapshot-uuid=${checkpoint.trim()}`), [
    '',
    "Type 'yes' to continue\nAborted\n",
    1,
  ])
  t.match(
    (await run(`xe vm-uninstall uuid=${uuid} force=true`))[0],
    /^The following items are about to be destroyed\nVM : /,
  )
})
