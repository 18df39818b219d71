import t from 'tap'
import type { CleanState } from '../../config/model.js'
import { never, startTwoHosts } from './two-hosts.test.fixture.js'

/** What asks a host for its list, or for a domain's state, definition or snapshots. */
const observing = /^'?virsh'? .*'?(?:list|domstate|dumpxml|dominfo|snapshot-list|snapshot-dumpxml)'?(?: |$)/
const mostObservations = 3

t.test('an instance is prepared with three looks at its host at most', async t => {
  const { driver, request, counted } = await startTwoHosts(t)
  const path = request.placement.clean.kind === 'copy' ? request.placement.clean.path : ''
  const cleanStates: readonly CleanState[] = [{ kind: 'copy', path }, { kind: 'none' }]
  for (const [number, clean] of cleanStates.entries()) {
    const instance = driver.instance({
      ...request,
      instance: `gc-run-e2-${number}`,
      placement: { ...request.placement, clean },
    })
    const before = counted.commands.length
    await instance.prepare(never)
    const looks = counted.commands.slice(before).filter(command => observing.test(command))
    t.ok(looks.length > 0 && looks.length <= mostObservations, `${clean.kind}: ${looks.join(' | ')}`)
    await instance.remove(never)
  }
})

t.test('what counts as a look is told from what is none', async t => {
  t.match('virsh -c qemu:///system dumpxml vm --inactive', observing)
  t.match('virsh -c qemu:///system list --all', observing)
  t.notMatch('virsh -c qemu:///system version', observing)
})

t.test('all waits for an address share the limit "boot", counted from the start', async t => {
  const { driver, request, counted } = await startTwoHosts(t)
  const { endpoint: _, ...placement } = request.placement
  const limits = { ...request.limits, boot: 400 }
  const instance = await driver.instance({ ...request, placement, limits }).prepare(never)
  const running = await instance.start(never)
  const late = { message: /no address was found .* within the limit "boot"/, context: { limit: 'boot' } }
  await t.rejects(running.access(never), late)
  const asked = (): number => counted.commands.filter(command => command.includes('domifaddr')).length
  const before = asked()
  await t.rejects(running.access(never), late)
  t.equal(asked() - before, 3, 'once it is reached, every source is asked once more and no longer waited for')
  await instance.remove(never)
})
