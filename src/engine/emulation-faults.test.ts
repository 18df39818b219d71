import t from 'tap'
import { InfraError } from '../config/errors.js'
import { describeTrouble, isRetryable } from './cause.js'
import { asEmulationFault } from './emulation-faults.js'

const crash = (line: string): InfraError =>
  new InfraError(`gc-1: kernel panic on the console: ${line}`, {
    cause: 'guest',
    where: 'gc-1',
    code: 'lost',
  })
const timer = crash(
  "Kernel panic - not syncing: IO-APIC + timer doesn't work!  Boot with apic=debug and send a report.",
)

t.test('a panic that software emulation is known to cause is tried again, and said', async t => {
  const trouble = describeTrouble(asEmulationFault(timer, { accelerator: 'tcg' }))
  t.equal(trouble.cause, 'host')
  t.equal(isRetryable(trouble), true)
  t.match(
    trouble.message,
    /^gc-1: kernel panic .* software emulation on a busy machine is known to cause this/,
  )
})

t.test('the same panic under KVM, and any other in software emulation, are the guest’s', async t => {
  t.equal(asEmulationFault(timer, { accelerator: 'kvm' }), timer)
  t.equal(asEmulationFault(timer, {}), timer)
  const own = crash('Kernel panic - not syncing: VFS: Unable to mount root fs on unknown-block(0,0)')
  t.equal(asEmulationFault(own, { accelerator: 'tcg' }), own)
  t.equal(asEmulationFault('a text', { accelerator: 'tcg' }), 'a text')
})
