import t from 'tap'
import { InfraError } from '../../../config/errors.js'
import { claimText, newClaim } from '../../shared/claims.js'
import { HostConnection } from '../../shared/connection.js'
import { hostLeaseCases } from '../lease.test.cases.js'
import { parseAnswer } from './answer.js'
import { escapeArgument, openScript } from './ask.js'
import { hostScript } from './script.js'
import { newWorld, type PlayedWorld, playScript, startScriptHost } from './script-host.test.fixture.js'

/** Carries out one text on a played host: its rows, or what it refused; and the host afterwards. */
function play(
  world: PlayedWorld,
  name: string,
  ...args: readonly string[]
): { readonly said: ReturnType<typeof parseAnswer>; readonly world: PlayedWorld } {
  const played = playScript(hostScript, ['n0nce', name, ...args.map(escapeArgument)], world)
  return { said: parseAnswer(played.printed, 'n0nce'), world: played.world }
}

t.test('an output is read whole, or not at all', async t => {
  const row = 'gc x row {"a":"1","b":null,"c":["2"]}'
  t.strictSame(parseAnswer(`${row}\r\n${row}\r\ngc x end 2\r\n`, 'x'), {
    rows: [
      { a: '1', b: null, c: ['2'] },
      { a: '1', b: null, c: ['2'] },
    ],
  })
  t.strictSame(parseAnswer(`${row}\r\ngc x error {"id":"Return","code":"32775","message":"m"}`, 'x'), {
    error: { id: 'Return', code: '32775', message: 'm' },
  })
  for (const odd of [
    '',
    row,
    `${row}\r\ngc x end 2`,
    `${row}\r\ngc x end 1\r\ngc x end 1`,
    `${row}\r\ngc y end 1`,
    `gc x row {"a":1}\r\ngc x end 1`,
    `gc x row {"a"\r\ngc x end 1`,
    `Microsoft (R) Windows Script Host\r\n${row}\r\ngc x end 1`,
    'C:\\x.js(1, 1) Microsoft JScript runtime error: Object expected',
  ]) {
    t.throws(() => parseAnswer(odd, 'x'), { message: /form that is not known/ }, odd)
  }
})

t.test('arguments and rows carry any character', async t => {
  const odd = 'a b"c\\d%e!f&g|h<i>j^k\'l_m\né€\u{1f600}'
  t.match(escapeArgument(odd), /^\.[A-Za-z0-9._-]*$/)
  const made = play(newWorld(), 'write-claim', 'gc-x', odd)
  t.strictSame(made.said, { rows: [] })
  t.strictSame(play(made.world, 'claims').said, { rows: [{ text: odd }] })
})

t.test('claims are written, replaced, read and removed', async t => {
  const first = play(newWorld(), 'write-claim', 'gc-1', claimText(newClaim('gc-1', 'rhel5')))
  const second = play(first.world, 'write-claim', 'gc-1', 'other')
  t.strictSame(play(second.world, 'claims').said, { rows: [{ text: 'other' }] })
  const gone = play(second.world, 'remove-claim', 'gc-1')
  t.strictSame(play(gone.world, 'claims').said, { rows: [] })
  t.strictSame(play(gone.world, 'remove-claim', 'gc-1').said, { rows: [] })
})

t.test('a host says what it is, what is there, and how much room there is', async t => {
  const world = newWorld()
  t.match(play(world, 'facts').said, {
    rows: [
      {
        product: 'Windows Server 2008 R2 Standard',
        build: '7601',
        name: 'HV01.lab.example',
        folder: 'C:\\VMs',
      },
    ],
  })
  t.strictSame(play(world, 'exists', 'C:\\clean\\rhel5.vhd').said, { rows: [{ exists: 'True' }] })
  t.strictSame(play(world, 'exists', 'C:\\clean\\none.vhd').said, { rows: [{ exists: 'False' }] })
  t.strictSame(play(world, 'space', 'D:\\VMs\\guestcert').said, { rows: [{ bytes: '1099511627776' }] })
  t.strictSame(play(world, 'folders', 'C:\\VMs\\guestcert').said, { rows: [] })
  const made = play(world, 'make-disk', 'copy', 'C:\\clean\\rhel5.vhd', 'C:\\VMs\\guestcert\\gc-1\\gc-1.vhd')
  t.strictSame(made.said, { rows: [{ parent: '' }] })
  t.strictSame(play(made.world, 'folders', 'C:\\VMs\\guestcert').said, { rows: [{ name: 'gc-1' }] })
})

t.test('a clean disk is told by all files that it lies on; without SHA256 there is no digest', async t => {
  const world = newWorld()
  const made = play(world, 'make-disk', 'overlay', 'C:\\clean\\rhel5.vhd', 'C:\\clean\\above.vhd')
  const digest = { format: 'VHD', sha256: /^(0[0-9a-f]){32}$/ }
  const asked = play(made.world, 'image', 'C:\\clean\\above.vhd')
  t.match(asked.said, {
    rows: [
      { path: 'C:\\clean\\above.vhd', ...digest },
      { path: 'C:\\clean\\rhel5.vhd', ...digest },
    ],
  })
  asked.world.withoutSha256 = true
  t.strictSame(play(asked.world, 'image', 'C:\\clean\\above.vhd').said, asked.said, 'known from before')
  made.world.withoutSha256 = true
  t.match(play(made.world, 'image', 'C:\\clean\\rhel5.vhd').said, { rows: [{ sha256: '' }] })
})

t.test('addresses: of the guest with its first card, and of neighbours by MAC address', async t => {
  const world = newWorld()
  const [vm] = world.vms
  if (vm === undefined) throw new Error('no VM')
  vm.state = 2
  vm.told = [
    ['OSName', 'Red Hat'],
    ['NetworkAddressIPv4', '192.0.2.7;192.0.2.8'],
  ]
  world.neighbours = [
    { ip: '192.0.2.9', mac: '00-15-5d-cc-89-b1' },
    { ip: '192.0.2.10', mac: '00-15-5d-cc-89-b2' },
  ]
  t.strictSame(play(world, 'addresses', vm.id).said, {
    rows: [{ mac: '00155DCC89B1', given: ['192.0.2.7', '192.0.2.8'], seen: ['192.0.2.9'] }],
  })
  vm.state = 3
  t.strictSame(play(world, 'addresses', vm.id).said, {
    rows: [{ mac: '00155DCC89B1', given: [], seen: ['192.0.2.9'] }],
  })
})

t.test('what a host refuses is told as what it is', async t => {
  const world = newWorld()
  const id = world.vms[0]?.id ?? ''
  t.match(play(world, 'state', '00000000-0000-0000-0000-000000000000').said, { error: { id: 'NotFound' } })
  t.match(play(world, 'state', "x' OR Name='HV01").said, { error: { id: 'NotFound' } })
  t.strictSame(play(world, 'turn-off', id).said, {
    error: { id: 'Return', code: '32775', message: 'RequestStateChange' },
  })
  t.match(play({ ...world, failJob: 'Not enough memory' }, 'start', id).said, {
    error: { id: 'Job', code: '32768', message: 'RequestStateChange: Not enough memory' },
  })
  t.match(play({ ...world, withoutNamespace: true }, 'list').said, {
    error: { id: 'Script', code: '8004100E' },
  })
  t.match(play(world, 'restore', id, 'none').said, { error: { id: 'NoSnapshot' } })
  t.match(play(world, 'nmi', id).said, { error: { id: 'Script' } })
})

t.test('a health that is critical is told with the state', async t => {
  const world = newWorld()
  const [vm] = world.vms
  if (vm === undefined) throw new Error('no VM')
  vm.state = 32768
  vm.health = 25
  t.match(play(world, 'state', vm.id).said, { rows: [{ state: '32768/25' }] })
})

t.test('the driver says which call failed, with its meaning, and whose fault it is', async t => {
  const played = { world: newWorld(), script: hostScript }
  const connection = new HostConnection('hv-1', async () => ({
    label: 'hv-1',
    hostKey: 'SHA256:none',
    lost: new AbortController().signal,
    channels: 8,
    run: async command => {
      const words = command.split('" ').at(-1) ?? ''
      const { printed } = playScript(played.script, words.split(' '), played.world)
      const output = { text: printed, bytes: Buffer.alloc(0), totalBytes: 0, truncated: false }
      return {
        exit: { kind: 'code' as const, code: 0 },
        stdout: output,
        stderr: { ...output, text: '' },
        durationMs: 0,
        undrained: false,
      }
    },
    forward: () => Promise.reject(new Error('no')),
    close: async () => {},
    askHost: () => Promise.reject(new Error('no')),
    temporaryFolder: async () => 'C:\\Windows\\Temp',
    writeFile: async () => {},
  }))
  const { ask } = openScript(connection, 'hv-1')
  const call = { signal: new AbortController().signal, limit: { name: 'command', ms: 1000 }, where: 'gc-1' }
  const id = played.world.vms[0]?.id ?? ''
  await t.rejects(ask('turnOff', [id], call), {
    message: 'gc-1 on hv-1: turn-off: RequestStateChange returned 32775: invalid state for this operation',
    context: { cause: 'host' },
  })
  played.world.failJob = 'It is full. (0x80070070)'
  await t.rejects(ask('start', [id], call), {
    message: 'gc-1 on hv-1: start: RequestStateChange: It is full. (0x80070070) (error code 32768)',
    context: { cause: 'host' },
  })
  played.world.withoutNamespace = true
  await t.rejects(ask('list', [], call), {
    message: /0x8004100E.*from 2008 to 2012 that have the Hyper-V role/,
  })
  played.script = hostScript.replace(
    "gcTexts['list']=function(a){",
    "gcTexts['list']=function(a){gcFail('Script','800A1391','undefined');",
  )
  await t.rejects(ask('list', [], call), { message: /0x800A1391/, context: { cause: 'runner' } })
  played.script = "WScript.Echo('something else')"
  await t.rejects(ask('list', [], call), InfraError)
  await t.rejects(ask('exists', ['x'.repeat(7000)], call), { message: /fit no line of cmd/ })
  await t.rejects(ask('screenshot', [id], call), { message: /cannot be asked/ })
})

t.test('the lease of such a host keeps the rules of the others', async t => {
  await hostLeaseCases(t, startScriptHost(t).driver)
})
