import t from 'tap'
import type { CleanState, Configuration } from '../../config/model.js'
import { abilitiesOf, presumedToolstack } from './abilities.js'
import { requestFor, signal, startHost } from './fake-xl.test.fixture.js'

const copy: CleanState = { kind: 'copy', path: '/x.raw' }

function placed(mode: Configuration['mode'], clean: CleanState = copy) {
  return { clean, configuration: { name: 'x', ...(mode === undefined ? {} : { mode }) } }
}

t.test('what can be done hangs on mode, clean state and tool', async t => {
  const words = (...given: Parameters<typeof abilitiesOf>): string =>
    [...abilitiesOf(...given)].sort().join(' ')
  const always = 'console pause reset stop'
  t.equal(
    words(placed('pv'), 'xl'),
    'attach-disk attach-nic console pause reset revert set-memory set-vcpus snapshot stop',
  )
  t.equal(words(placed('hvm'), 'xl'), 'console nmi pause reset revert snapshot stop')
  t.equal(words(placed(undefined), 'xl'), 'console pause reset revert snapshot stop')
  t.equal(words(placed('pv', { kind: 'none' }), 'xl'), always)
  t.equal(words(placed('pv'), 'xm'), always)
  t.equal(words(placed('hvm'), 'xm'), always)
})

t.test('the tool is known from the product before the host is asked', async t => {
  t.equal(presumedToolstack({ product: 'rhel-xen', version: '5.11' }), 'xm')
  t.equal(presumedToolstack({ product: 'sles-xen', version: '11 SP4' }), 'xm')
  t.equal(presumedToolstack({ product: 'sles-xen', version: '12' }), 'xl')
  t.equal(presumedToolstack({ product: 'xen', version: '3.4' }), 'xm')
  t.equal(presumedToolstack({ product: 'xen', version: '4.17' }), 'xl')
})

t.test('a running guest offers what its host has, whatever was promised', async t => {
  for (const tool of ['xl', 'xm'] as const) {
    const { driver, folder } = await startHost(t, { tool })
    const request = requestFor(folder)
    t.ok(driver.abilities(request.placement).has('snapshot'))
    const prepared = await driver.instance(request).prepare(signal)
    const running = await prepared.start(signal)
    t.equal(running.facts.toolstack, tool)
    t.equal(running.snapshot !== undefined, tool === 'xl')
    t.equal(running.attachDisk !== undefined, tool === 'xl')
    t.type(running.powerOff, 'function')
    t.equal(running.nmi, undefined, 'not of a PV guest')
    await prepared.remove(signal)
  }
})
