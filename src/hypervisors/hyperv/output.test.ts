import t from 'tap'
import { UnknownOutput } from '../shared/unknown-output.js'
import { differences, planClone } from './clone.js'
import { cardOf, driveOf, macOf, type Read, readRow, readRows, snapshotOf, stateOf } from './output.js'

const looked = {
  id: '6d9f4a1e-0f0c-4f6f-9d5b-0a6f1f9a2b3c',
  name: 'rhel9',
  state: 'Off',
  generation: '2',
  clustered: 'False',
  cpus: '2',
  startup: '1073741824',
  assigned: '0',
  dynamic: 'False',
  secureBoot: 'On',
  disks: ['SCSI\t0\t0\tD:\\VMs\\rhel9.vhdx'],
  nics: ['00155DCC89B1\tlab\tFalse'],
  snapshots: ['0a7b\tsealed and\ttabbed'],
  notes: null,
}

t.test('states are read by their names, and those of lost storage need a person', async t => {
  const powers = [
    ['Running', 'on'],
    ['Off', 'off'],
    ['Saved', 'paused'],
    ['Paused', 'paused'],
    ['Stopping', 'ending'],
    ['Starting', 'busy'],
    ['ForceReboot', 'busy'],
    ['OffCritical', 'off'],
  ] as const
  for (const [said, power] of powers) t.strictSame(stateOf(said), { power }, said)
  t.match(stateOf('PausedCritical'), { power: 'paused', question: /PausedCritical.*storage/ })
  t.match(stateOf('RunningCritical'), { power: 'on', question: String })
  for (const said of ['32795', 'Uitgeschakeld', '', 'running ']) {
    t.throws(() => stateOf(said), UnknownOutput, said)
  }
})

t.test('what a machine has is read, and what is not known is refused', async t => {
  const row = readRow('looked', [looked])
  t.match(row, { generation: 2, clustered: false, startup: 2 ** 30, notes: null })
  t.strictSame(row.disks.map(driveOf), [
    { type: 'SCSI', number: 0, location: 0, path: 'D:\\VMs\\rhel9.vhdx' },
  ])
  t.strictSame(row.nics.map(cardOf), [{ mac: '00:15:5d:cc:89:b1', switchName: 'lab', isLegacy: false }])
  t.strictSame(row.snapshots.map(snapshotOf), [{ id: '0a7b', name: 'sealed and\ttabbed' }])
  t.throws(() => readRow('looked', [{ ...looked, cpus: 'two' }]), /\(cpus\)/)
  t.throws(() => readRow('looked', [{ ...looked, dynamic: 'Ja' }]), UnknownOutput)
  t.throws(() => readRow('looked', []), /0 rows/)
  t.throws(() => readRow('looked', [looked, looked]), /2 rows/)
  t.throws(() => readRows('listed', [{ id: 'x', name: 'a', state: 'Off', notes: '' }]), UnknownOutput)
  t.throws(() => driveOf('NVMe\t0\t0\tx'), UnknownOutput)
  t.throws(() => macOf('00-15-5D-CC-89-B1'), UnknownOutput)
})

t.test('a clone has its disk where its template has its own, and in the format of the clean one', async t => {
  const template = readRow('looked', [looked])
  const request = { instance: 'gc-r-e1-1', path: 'D:\\clean\\rhel5.vhd', root: 'D:\\VMs' }
  t.strictSame(planClone(template, request), {
    parent: 'D:\\VMs\\guestcert',
    folder: 'D:\\VMs\\guestcert\\gc-r-e1-1',
    disk: { type: 'SCSI', number: 0, location: 0, path: 'D:\\VMs\\guestcert\\gc-r-e1-1\\gc-r-e1-1.disk.vhd' },
  })
  const bare = { ...template, generation: 1, disks: [] }
  t.match(planClone(bare, request).disk, { type: 'IDE' })
  const two = { ...template, disks: [...template.disks, 'SCSI\t0\t1\tD:\\data.vhdx'] }
  t.throws(() => planClone(two, request), /it has 2 disks/)
})

t.test('a machine that is not as the lab declares it is told with each difference', async t => {
  const template: Read<'looked'> = readRow('looked', [{ ...looked, dynamic: 'True' }])
  const same = {
    name: 'x',
    generation: 2,
    firmware: 'uefi',
    vcpus: 2,
    disk: 'scsi',
    nic: 'synthetic',
  } as const
  t.strictSame(differences(template, same), [])
  t.strictSame(
    differences(template, {
      ...same,
      generation: 1,
      firmware: 'bios',
      vcpus: 4,
      memoryBytes: 2 ** 31,
      disk: 'ide',
      nic: 'legacy',
    }),
    [
      'generation is 2, not 1',
      'firmware is uefi, not bios',
      'vCPUs is 2, not 4',
      'memory is 1073741824, not 2147483648',
      'dynamic memory is true, not false',
      'disk is scsi, not ide',
      'network card is synthetic, not legacy',
    ],
  )
})
