import t from 'tap'
import { canonicalBytes } from '../canonical.js'
import { sampleStatement } from '../sample.test.fixture.js'
import { testResultOf } from './test-result.js'

t.test('the same journal and plan give the same bytes', async t => {
  t.same(canonicalBytes(sampleStatement()), canonicalBytes(sampleStatement()))
})

t.test('a statement holds no name, address or identifier of the lab', async t => {
  const text = canonicalBytes(sampleStatement()).toString()
  for (const word of ['kvm-1', 'westford', 'runner-1', 'not recorded', 'evidence/', '"deb"']) {
    t.notOk(text.includes(word), word)
  }
})

t.test('what was seen goes before what was declared', async t => {
  const { predicate, subject } = sampleStatement()
  t.match(predicate.pairing.configuration, { vcpus: 2, memoryBytes: 2 ** 30, accelerator: 'kvm' })
  t.same(predicate.observed.configuration, ['accelerator', 'memoryBytes', 'vcpus'])
  t.same(
    subject.map(({ name }) => name),
    ['pairing', 'journal', 'plan', 'guest-image'],
  )
})

t.test('the hardware of a guest of Hyper-V is seen in the words of its host', async t => {
  const { predicate } = sampleStatement({
    environment: {
      hypervisor: { product: 'hyper-v', version: '2022' },
      configuration: { name: 'gen2', vcpus: 2, memoryBytes: 2 ** 31 },
    },
    guestFacts: { accelerator: '', 'vm memory': '2048 MiB' },
    hostFacts: { product: 'hyper-v', version: '2022', hypervisor: 'Hyper-V 2022' },
  })
  t.match(predicate.pairing.configuration, { memoryBytes: 2 ** 31, accelerator: 'hyperv' })
  t.same(predicate.observed.configuration, ['accelerator', 'memoryBytes', 'vcpus'])
  t.same(predicate.observed.contradictions, [])
})

t.test('errors and tests that did not run are failed tests of test-result', async t => {
  const { predicate } = testResultOf(
    sampleStatement({ verdicts: { 'core/identity': 'error', 'core/memory': 'not-run' } }),
  )
  t.match(predicate, { result: 'FAILED', failedTests: ['core/identity', 'core/memory'] })
  t.equal(testResultOf(sampleStatement()).predicate.result, 'PASSED')
  t.equal(testResultOf(sampleStatement({ isClosed: false })).predicate.result, 'FAILED')
  const all = { 'guestcert/boot': 'skip', 'core/identity': 'skip', 'core/memory': 'skip' } as const
  t.equal(testResultOf(sampleStatement({ verdicts: all })).predicate.result, 'FAILED', 'nothing passed')
})
