import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { packageRoot } from '../../../config/package-root.js'
import { killPwsh, pwshRunner, pwshVersion, withoutPwsh } from './pwsh.test.fixture.js'
import { PowerShellService, type ServiceRequest } from './service.js'

t.setTimeout(1_200_000)
const limitMs = 300_000
const modules = join(packageRoot, 'fixtures/powershell/modules')

interface Served {
  readonly service: PowerShellService
  /** Resident memory of its process, in bytes. */
  residentBytes(): number
}

async function serve(t: Test): Promise<Served> {
  let pid = 0
  const service = await PowerShellService.start(
    'guest',
    pwshRunner(modules, child => {
      pid = child.pid ?? 0
      t.teardown(() => killPwsh(child))
    }),
    limitMs,
  )
  const pages = (of: number): number =>
    Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${of}/status`, 'utf8'))?.[1]) * 1024
  const children = (): number[] =>
    readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number)
  return { service, residentBytes: () => [pid, ...children()].reduce((sum, of) => sum + pages(of), 0) }
}

const cim = (properties: string, from: string): ServiceRequest => ['wmi', 'root\\cimv2', properties, from]

t.test(`the service answers under pwsh ${pwshVersion()}`, { skip: withoutPwsh }, async t => {
  const { service } = await serve(t)
  const ask = (request: ServiceRequest): ReturnType<typeof service.ask> => service.ask(request, { limitMs })
  t.match(service.version, /^7\./)
  t.match((await ask(['now'])).rows, [{ ticks: /^\d{18}$/ }])
  const { rows } = await ask(
    cim('Big,Small,Real,Truth,Lie,When,Nothing,Empty,List,Numbers,One,None,Odd,Absent', 'Types'),
  )
  t.strictSame(rows, [
    {
      Big: '18446744073709551615',
      Small: '-1',
      Real: '0.1',
      Truth: 'True',
      Lie: 'False',
      When: '20260102030405.000000+000',
      Nothing: null,
      Empty: '',
      List: ['a', 'b"\\é'],
      Numbers: ['1', '2'],
      One: ['x'],
      None: [],
      Odd: 'tab\tline\n\0\ud83d中&<>`$()',
      Absent: null,
    },
  ])
  const many = await ask(cim('ProcessId,Name,CommandLine,Handle', 'Rows800'))
  t.equal(many.rows.length, 800)
  t.strictSame(many.rows[799], {
    ProcessId: '799',
    Name: 'p799',
    CommandLine: 'C:\\Windows\\System32\\svchost.exe -k netsvcs -p 799',
    Handle: '799',
  })
  t.strictSame(await ask(cim('Name', 'Rows0')), { rows: [], absent: false }, 'no row is an answer')
})

t.test("the guest's errors are told from ours", { skip: withoutPwsh }, async t => {
  const { service } = await serve(t)
  const rejects = (request: ServiceRequest, message: RegExp, cause: string): Promise<unknown> =>
    t.rejects(service.ask(request, { limitMs }), { message, context: { cause } }, request.join(' '))
  await rejects(cim('Name', 'Wrong'), /PowerShell: Invalid class/, 'guest')
  await rejects(cim('Name', 'Halfway'), /PowerShell: Generic failure/, 'guest')
  const ours = /could not be carried out by PowerShell/
  await rejects(cim('Name', 'NoSuchCommand'), ours, 'runner')
  await rejects(cim('Name', 'NoSuchParameter'), ours, 'runner')
  // There is no registry here: a method of nothing is called.
  await rejects(['registry', 'HKLM', 'SOFTWARE'], ours, 'runner')
  await rejects(['nope'] as unknown as ServiceRequest, ours, 'runner')
})

t.test(
  'what nobody waits for any more is stopped, so that it holds no runspace',
  { skip: withoutPwsh },
  async t => {
    const { service } = await serve(t)
    const given = new AbortController()
    // As many as there are runspaces: with all of them held, nothing else would be answered.
    const slow = Array.from({ length: 8 }, () =>
      service.ask(cim('Name', 'Slow'), { limitMs, signal: given.signal }),
    )
    const settled = Promise.allSettled(slow)
    setTimeout(() => given.abort(new Error('not wanted')), 1_000)
    t.ok((await settled).every(({ status }) => status === 'rejected'))
    t.equal((await service.ask(cim('Name', 'Rows3'), { limitMs })).rows.length, 3)
  },
)

t.test('what has been answered is let go', { skip: withoutPwsh }, async t => {
  const { service, residentBytes } = await serve(t)
  const ballast = 'x'.repeat(200_000)
  const ask = async (count: number): Promise<void> => {
    for (let at = 0; at < count; at += 10) {
      await Promise.all(
        Array.from({ length: 10 }, () => service.ask(['now', ballast] as ServiceRequest, { limitMs })),
      )
    }
  }
  await ask(300)
  const before = residentBytes()
  await ask(1_000)
  const grown = residentBytes() - before
  t.ok(grown < 200_000_000, `kept, they would take at least 400 MB; it grew by ${Math.round(grown / 1e6)} MB`)
})

t.test('ten thousand requests leave nothing behind in its managed memory', { skip: withoutPwsh }, async t => {
  const { service } = await serve(t)
  const atOnce = 50
  const ask = async (count: number): Promise<void> => {
    for (let asked = 0; asked < count; asked += atOnce) {
      await Promise.all(Array.from({ length: atOnce }, () => service.ask(['now'], { limitMs })))
    }
  }
  const managedBytes = async (): Promise<number> =>
    Number((await service.ask(cim('Managed', 'Memory'), { limitMs })).rows[0]?.Managed)
  await ask(2_000)
  const before = await managedBytes()
  t.ok(before > 1_000_000, `${before}`)
  await ask(8_000)
  const grown = (await managedBytes()) - before
  // One request that is kept takes some 7 KB.
  t.ok(grown < 2_000_000, `it grew by ${grown} bytes over 8000 requests`)
})

t.test('standard input ends, and so does it, when all is answered', { skip: withoutPwsh }, async t => {
  const run = pwshRunner(modules)
  let ended: ReturnType<typeof run> | undefined
  const service = await PowerShellService.start(
    'guest',
    (command, options) => {
      ended = run(command, options)
      return ended
    },
    limitMs,
  )
  const answer = service.ask(cim('Name', 'Rows100'), { limitMs })
  service.end()
  t.equal((await answer).rows.length, 100)
  t.match(await ended, { exit: { kind: 'code', code: 0 }, stderr: { text: '' } })
})
