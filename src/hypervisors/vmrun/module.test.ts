import t from 'tap'
import { abilitiesOf } from './abilities.js'
import { vmrunModule } from './module.js'

t.test('VMware Server is refused in the lab file, with the reason', t => {
  t.match(vmrunModule.hostMistakes?.({ product: 'vmware-server', version: '2.0' }), [
    /^VMware Server is not driven: its vmrun takes the password in its arguments/,
  ])
  t.strictSame(vmrunModule.hostMistakes?.({ product: 'vmware-workstation', version: '17.5' }), [])
  t.end()
})

t.test('without VMware Tools nobody asks a guest to shut down', t => {
  t.ok(abilitiesOf({ configuration: { name: 'x' } }).has('stop'))
  t.notOk(abilitiesOf({ configuration: { name: 'x', tools: 'none' } }).has('stop'))
  t.end()
})
