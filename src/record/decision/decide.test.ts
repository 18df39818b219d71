import t from 'tap'
import type { LeftOutKind } from '../../plan/types.js'
import type { Waiver } from '../../waivers/schema.js'
import {
  emulatorKey,
  leaf,
  type SampleChanges,
  sampleCase,
  sampleInput,
  samplePolicy,
  sampleRun,
  sampleStatement,
} from '../sample.test.fixture.js'
import { decide } from './decide.js'
import type { Case, DecisionInput } from './types.js'

interface Flip {
  readonly run?: SampleChanges
  readonly one?: Partial<Case>
  readonly input?: Partial<DecisionInput>
}

function decided({ run, one, input }: Flip): ReturnType<typeof decide> {
  return decide(sampleInput(sampleCase(sampleStatement(run).predicate, one), input))
}

function codes(flip: Flip): string[] {
  return [...new Set(decided(flip).reasons.map(({ code }) => code))].sort()
}

const registration = sampleCase(sampleStatement().predicate).registration

t.test('a registered, observed, passed and reproduced run of the pairing certifies', async t => {
  t.match(decided({}), {
    certifies: true,
    level: 'certified',
    reasons: [],
    validUntil: '2027-11-30T12:00:00.000Z',
  })
})

t.test('each cheat and each lack is refused for one reason, by its name', async t => {
  const emulated = { environment: { emulated: true } }
  const tcg = { accelerators: ['kvm', 'tcg'] }
  const flips: Readonly<Record<string, readonly [Flip, string[]]>> = {
    'an emulated guest': [{ run: emulated }, ['emulated']],
    'a peer that is emulated': [
      {
        run: {
          environment: { peer: { ...peer(), emulated: true } },
        },
      },
      ['emulated'],
    ],
    'connect: to the port of an emulated guest': [{ run: { guestFacts: { emulated: '1' } } }, ['emulated']],
    'connect: to the port of an emulated host': [
      {
        run: {
          hostFacts: {
            'host product': 'Debian GNU/Linux 12 (bookworm)',
            hypervisor: 'QEMU 7.2.22',
            emulated: '1',
          },
        },
      },
      ['emulated'],
    ],
    'connect: to an emulated guest that says nothing of it: its key does': [
      { run: { hostKey: emulatorKey } },
      ['emulated'],
    ],
    'connect: to an emulated host that says nothing of it: its key does': [
      {
        run: {
          hostFacts: {
            'host product': 'Debian GNU/Linux 12 (bookworm)',
            hypervisor: 'QEMU 7.2.22',
            'host key': emulatorKey,
          },
        },
      },
      ['emulated'],
    ],
    'a static guest passed off as a product: no host was seen': [
      { run: { hostFacts: null } },
      ['hypervisor-not-observed'],
    ],
    'a host of another product': [
      { run: { hostFacts: { 'host product': 'Ubuntu 22.04', hypervisor: 'QEMU 6.2.0' } } },
      ['hypervisor-not-observed'],
    ],
    'a guest that shows no product': [
      { run: { guestFacts: { 'os.id': '', os: '', 'os.release': '', release: '' } } },
      ['guest-not-observed'],
    ],
    'another guest than the lab says': [
      { run: { guestFacts: { 'os.id': 'ubuntu', 'os.release': '22.04' } } },
      ['guest-not-observed'],
    ],
    'software emulation': [{ run: { guestFacts: { accelerator: 'tcg' } } }, ['software-emulation']],
    'software emulation that calls itself KVM': [
      { run: { guestFacts: { 'kvm enabled': 'false' } } },
      ['software-emulation'],
    ],
    'KVM where the pairing asks for software emulation': [
      { input: { policy: samplePolicy({}, { accelerators: ['tcg'] }) } },
      ['accelerator'],
    ],
    'other hardware than the policy’s': [
      { run: { guestFacts: { 'vm vcpus': '4' } } },
      ['configuration', 'contradiction'],
    ],
    'hardware that is not as declared': [
      { run: { guestFacts: { 'vm memory': '524288 KiB' } } },
      ['contradiction'],
    ],
    'machines that differ': [
      {
        run: { second: { 'os.id': 'debian', 'os.release': '12', accelerator: 'kvm', kernel: 'Linux 5.10' } },
      },
      ['varying'],
    ],
    'a suite of one’s own with the official ids': [{ run: { suiteDigest: 'b'.repeat(64) } }, ['suite']],
    'another program': [{ input: { kit: { harness: ['0'.repeat(64)], suites: suites() } } }, ['harness']],
    'a program that was changed after registration': [
      { one: { registration: registration && { ...registration, harnessDigest: '0'.repeat(64) } } },
      ['harness-changed'],
    ],
    'another plan than was registered': [
      { one: { registration: registration && { ...registration, planDigest: '0'.repeat(64) } } },
      ['plan'],
    ],
    'an edited run id': [
      { one: { registration: registration && { ...registration, leaf: 'ef'.repeat(32) } } },
      ['run-id'],
    ],
    'a run that nobody registered': [{ run: { isRegistered: false } }, ['harness', 'not-registered']],
    'a run registered by one and signed by another': [
      { one: { registration: registration && { ...registration, party: 'vendor-b' } } },
      ['registrant'],
    ],
    'a registration later than the run': [
      { one: { registration: registration && { ...registration, at: '2026-11-23T00:00:00.000Z' } } },
      ['clock'],
    ],
    'a registration that nobody cosigned': [
      {
        one: { registration: registration && { ...registration, cosigners: ['vendor-a'] } },
        input: { policy: samplePolicy({ cosigned: true }) },
      },
      ['not-cosigned'],
    ],
    'an old run': [{ input: { nowMs: Date.parse('2027-11-30T12:00:00Z') } }, ['age']],
    'a run of tomorrow': [{ input: { nowMs: Date.parse('2026-11-01T12:00:00Z') } }, ['future']],
    'a kit that has run out': [
      { input: { policy: samplePolicy({ kitValid: { from: '2026-01-01', until: '2026-06-30' } }) } },
      ['kit-validity'],
    ],
    'a run that was not brought to its end': [{ run: { isClosed: false } }, ['unclosed']],
    'a run before that failed': [
      { one: { row: ['failed', 'passed'] }, input: { policy: samplePolicy({ row: 2 }) } },
      ['row'],
    ],
    'a run before that was never added': [
      { one: { row: ['passed', 'open', 'passed'] }, input: { policy: samplePolicy({ row: 3 }) } },
      ['row'],
    ],
    'nobody signed it': [{ one: { signers: [] } }, ['unsigned']],
    'a reviewer signed it as a lab': [
      { one: { signers: [{ party: 'vendor-b', roles: ['reviewer'] }] } },
      ['unsigned'],
    ],
    'a reviewer rejected it': [{ one: { rejected: 'rejected by vendor-b: the log is cut' } }, ['rejected']],
    'nobody has reproduced it': [{ one: { reproducedBy: [] } }, ['not-reproduced']],
    'one size printed as a range': [
      { input: { policy: samplePolicy({}, { configuration: { vcpus: { least: 2, most: 4 } } }) } },
      ['range'],
    ],
    'a manual test that nobody answered': [
      {
        input: {
          policy: samplePolicy({}, { manual: [{ id: 'console', text: 'The console shows a login' }] }),
        },
      },
      ['manual'],
    ],
    'no run at all': [{ input: { cases: [] } }, ['no-run']],
    'an optional test made required later': [
      { input: { policy: samplePolicy({}, { required: ['core/identity', 'core/power'] }) } },
      ['missing'],
    ],
  }
  for (const [name, [flip, wanted]] of Object.entries(flips)) {
    const decision = decided(flip)
    t.same(codes(flip), wanted, name)
    t.equal(decision.certifies, false, name)
    t.equal(decision.validUntil, null, name)
  }
  t.equal(
    decided({ run: { guestFacts: { accelerator: 'tcg' } }, input: { policy: samplePolicy({}, tcg) } })
      .certifies,
    true,
  )
})

t.test('on a required test nothing but a pass or a waived failure certifies', async t => {
  for (const verdict of ['fail', 'error', 'skip', 'blocked', 'not-run'] as const) {
    t.same(codes({ run: { verdicts: { 'core/memory': verdict } } }), ['not-passed'], verdict)
  }
})

const waiver: Waiver = {
  id: 'w-1',
  test: 'core/memory',
  guest: { product: 'debian', version: '12' },
  reason: 'known',
  link: 'https://bugs.example/1',
  owner: 'ann',
  approver: 'ben',
  expires: '2026-12-24',
}

t.test('a waived failure certifies until the waiver ends, and no other verdict is waived', async t => {
  const run: SampleChanges = { verdicts: { 'core/memory': 'fail' } }
  t.match(decided({ run, input: { waivers: [waiver] } }), {
    certifies: true,
    waived: [{ test: 'core/memory', waiver: 'w-1' }],
    validUntil: '2026-12-25T00:00:00.000Z',
  })
  const failing: readonly (readonly [Flip, string])[] = [
    [{ run: { verdicts: { 'core/memory': 'error' } }, input: { waivers: [waiver] } }, 'not-passed'],
    [{ run, input: { waivers: [{ ...waiver, expires: '2026-11-01' }] } }, 'not-passed'],
    [{ run, input: { waivers: [{ ...waiver, expires: '2027-11-01' }] } }, 'waiver-too-long'],
    [
      {
        run: { verdicts: { 'core/identity': 'fail' } },
        input: { waivers: [{ ...waiver, test: 'core/identity' }] },
      },
      'not-waivable',
    ],
  ]
  for (const [flip, code] of failing) t.same(codes(flip), [code])
})

t.test(
  'a test may be inapplicable where the policy accepts that, and never for a lack of the driver',
  async t => {
    const accepted = samplePolicy({}, { inapplicable: ['core/memory'] })
    t.equal(
      decided({ run: { verdicts: { 'core/memory': 'skip' } }, input: { policy: accepted } }).certifies,
      true,
    )
    const leftOut = (kind?: LeftOutKind): SampleChanges => ({
      environment: {
        tests: planned().filter(({ id }) => id !== 'core/memory'),
        leftOut: [
          {
            test: 'core/memory',
            why: 'guest family is linux',
            level: 'required',
            ...(kind === undefined ? {} : { kind }),
          },
        ],
      },
    })
    const policy = { input: { policy: accepted } }
    t.equal(decided({ run: leftOut('not-applicable'), ...policy }).certifies, true)
    t.same(codes({ run: leftOut('unable'), ...policy }), ['missing'])
    t.same(codes({ run: leftOut('not-chosen'), ...policy }), ['missing'])
    t.same(codes({ run: leftOut(), ...policy }), ['missing'], 'a reason in words alone excuses nothing')
  },
)

t.test('what nobody has reproduced is self-attested at most', async t => {
  const policy = samplePolicy({ reproduction: 'optional' })
  t.equal(decided({ one: { reproducedBy: [] }, input: { policy } }).level, 'self-attested')
})

t.test('a renamed guest is the same pairing', async t => {
  const one = sampleStatement()
  const renamed = sampleStatement({
    environment: {
      id: 'other@x/y',
      guest: { ...one.predicate.pairing.guest, id: 'other', family: 'linux', shell: 'posix' },
    },
  })
  t.equal(renamed.subject[0]?.digest.sha256, one.subject[0]?.digest.sha256)
  t.equal(leaf.length, 64)
})

function suites(): DecisionInput['kit']['suites'] {
  return sampleInput(sampleCase(sampleStatement().predicate)).kit.suites
}

function planned() {
  const { plan } = sampleRun()
  return plan.environments[0]?.tests ?? []
}

function peer() {
  const { plan } = sampleRun()
  const [environment] = plan.environments
  if (environment === undefined) throw new Error('no environment')
  const { id, guest, hypervisor, configuration, emulated } = environment
  return { id, guest, hypervisor, configuration, emulated }
}
