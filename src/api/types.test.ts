import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { packageRoot } from '../config/package-root.js'
import { compile } from './compile.test.fixture.js'

t.setTimeout(120_000)

const head = `import { test, windowsTest, type Guest, type TestContext, type WindowsGuest } from 'guestcert/api'\n`

/** A module of one test with this body, in which everything that a test is given has its name. */
function moduleOf(body: string, declare = 'test'): string {
  const given = '{ guest, host, expect, environment, measure, attach, skip, signal, test: self }'
  return `${head}export default ${declare}(async (${given}) => { ${body} })\n`
}

const isExactly = `
type Exactly<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
function is<T extends true>(): T | undefined { return undefined }
`

/** Modules that must compile: what users write, and what types come back. */
const sound: Readonly<Record<string, string>> = {
  'the body of a test': moduleOf(`
    const { succeeded, stdout, end } = await guest.run('true', { limit: '10s', stdin: 'x' })
    if (end.kind === 'code') measure('status', end.code)
    expect(succeeded).toBe(true, stdout)
    expect([1]).not.toContain(2, 'two')
    const held: boolean = await expect.poll(() => guest.readFile('/x'), { within: '30s', every: 500 }).not.toMatch(/x/, 'x')
    if (!held) skip('it is not here')
    attach('notes', new Uint8Array(1)); attach('notes', 'x')
    await guest.writeFile(await guest.scratch(), await guest.readBytes('/x'))
    await guest.expectDisconnect(() => host.reset(), { within: '10m' })
    if (host.abilities.has('nmi')) await host.nmi()
    signal.throwIfAborted()`),
  'what skip leaves is never reached': moduleOf(`
    const family: 'linux' | 'windows' = environment.guest.family
    const linux: 'linux' = family === 'linux' ? family : skip('for Linux')
    expect(linux).toBe('linux', 'it is Linux')`),
  'parameters without declared types': moduleOf(`
    const value: string | number | boolean | undefined = self.parameters.size
    expect(self.id).toMatch(String(value), 'the identity names it')`),
  'parameters with declared types': `${isExactly}${moduleOf(
    `is<Exactly<typeof self.parameters.size, '1MiB' | '2MiB'>>(); is<Exactly<typeof self.parameters.depth, number>>()
     expect(self.parameters.depth * 2).toBeLessThan(64, self.parameters.size)`,
    `test<{ size: '1MiB' | '2MiB'; depth: number }>`,
  )}`,
  'a Windows guest': moduleOf(
    `const [system] = await guest.wmi('Win32_ComputerSystem', { get: ['Model'], where: 'Model IS NOT NULL' })
     expect(system?.Model).toBe('KVM', guest.version)
     const key = await guest.registry('HKLM\\\\SYSTEM'); expect(key?.values.get('Start')).toBeDefined('it is there')
     expect(self.parameters.again).toBe(true, 'again')`,
    `windowsTest<{ again: boolean }>`,
  ),
  'a peer is a guest with an address': `${isExactly}${head.replace('test, ', 'test, type Peer, ')}
    async function named(guest: Guest): Promise<string> { return (await guest.run('hostname')).stdout }
    export default test(async ({ guest, peer, expect }) => {
      is<Exactly<typeof peer.address, string>>(); is<Exactly<typeof peer.environment.guest.family, 'linux' | 'windows'>>()
      const both: Peer = peer
      expect(await named(both)).not.toBe(await named(guest), 'they differ')
    })`,
  'a test as a value of its own': `${head}
    async function body({ guest, expect }: TestContext): Promise<void> { expect(await named(guest)).toBe('a', 'a') }
    async function named(guest: Guest | WindowsGuest): Promise<string> { return (await guest.run('hostname')).stdout }
    export default test(body)`,
  'what comes back is what is promised': `${isExactly}${moduleOf(`
    const outcome = await guest.run('true'); const offset = await guest.clockOffset(); const reboot = await guest.reboot()
    is<Exactly<typeof outcome.succeeded, boolean>>(); is<Exactly<typeof offset.ms, number>>()
    is<Exactly<typeof reboot.before, string>>(); is<Exactly<Awaited<ReturnType<typeof host.migrate>>, string>>()
    is<Exactly<typeof guest.facts, Readonly<Record<string, string>>>>()
    expect(offset.ppmSince(await guest.clockOffset())).toBeLessThan(1, 'it drifts little')`)}`,
}

/** Modules that must not compile, and what the compiler says of each. */
const refused: Readonly<Record<string, readonly [module: string, mistake: RegExp]>> = {
  'a check without its text': [moduleOf(`expect(1).toBe(1)`), /^TS2554: Expected 2 arguments/],
  'a question that there is not': [moduleOf(`expect(1).toBeNice('x')`), /^TS2339: .*'toBeNice'/],
  'a limit of a text': [moduleOf(`expect(1).toBeLessThan('2', 'x')`), /^TS2345: .*'string'.*'number'/],
  'a doubled not': [moduleOf(`expect(1).not.not.toBe(1, 'x')`), /^TS2339: .*'not'/],
  'an answer of poll as a boolean': [
    moduleOf(`const held: boolean = expect.poll(() => 1).toBe(1, 'x')`),
    /^TS2322: .*Promise<boolean>/,
  ],
  'a duration without its unit': [moduleOf(`await host.pause({ for: '30' })`), /^TS2322: .*'"30"'/],
  'a duration in words': [moduleOf(`await guest.run('x', { limit: 'soon' })`), /^TS2322: .*'"soon"'/],
  'an option that there is not': [
    moduleOf(`await guest.run('x', { timeout: '1s' })`),
    /^TS2353: .*'timeout'/,
  ],
  'a command that is none': [moduleOf(`await guest.run(['ls', '-l'])`), /^TS2345: .*'string\[\]'/],
  'a disconnection without its limit': [
    moduleOf(`await guest.expectDisconnect(() => host.reset())`),
    /^TS2554: Expected 2 arguments/,
  ],
  'a facts table that is written': [moduleOf(`guest.facts.kernel = 'x'`), /^TS2542: .*only permits reading/],
  'an ability that there is not': [moduleOf(`host.abilities.has('fly')`), /^TS2345: .*'"fly"'/],
  'a size as a text': [moduleOf(`await host.attachDisk('64MiB')`), /^TS2345: .*'string'.*'number'/],
  'a measure as a text': [moduleOf(`measure('offset', '12 ms')`), /^TS2345: .*'string'.*'number'/],
  'an attachment of an object': [moduleOf(`attach('x', { a: 1 })`), /^TS2353: .*'a' does not exist/],
  'a promise where its answer is meant': [
    moduleOf(`const text: string = guest.readFile('/x')`),
    /^TS2322: .*Promise<string>/,
  ],
  'what a Linux guest has not': [moduleOf(`await guest.wmi('X', { get: ['Y'] })`), /^TS2339: .*'wmi'/],
  'a query that asks for nothing': [moduleOf(`await guest.wmi('X', {})`, 'windowsTest'), /^TS2345: .*'get'/],
  'a parameter that is not declared': [
    moduleOf(`self.parameters.sise`, `test<{ size: string }>`),
    /^TS2339: .*'sise'/,
  ],
  'a parameter of another kind': [
    moduleOf(`const depth: number = self.parameters.size`, `test<{ size: string }>`),
    /^TS2322: .*'string'.*'number'/,
  ],
  'a parameter that may be absent': [
    moduleOf(`const size: string | number | boolean = self.parameters.size`),
    /^TS2322: .*undefined/,
  ],
  'a parameter that is written': [moduleOf(`self.parameters.size = 1`), /^TS2542: .*only permits reading/],
  'a parameter that can be no value': [moduleOf('', `test<{ size: string[] }>`), /^TS2344: .*'string\[\]'/],
  'an address of the guest itself': [moduleOf(`guest.address`), /^TS2339: .*'address'/],
  'a host of the peer': [
    `${head}export default test(async ({ peer }) => { await peer.pause() })`,
    /^TS2339: .*'pause'/,
  ],
  'a body that is not asynchronous': [
    `${head}export default test(({ expect }) => { expect(1).toBe(1, 'x') })`,
    /^TS2345: .*'void'.*'Promise<void>'/,
  ],
  'a body that wants more than there is': [
    `${head}export default test(async ({ peers }) => {})`,
    /^TS2339: .*'peers'/,
  ],
}

/** Modules of the suites that tests run, which the build of the package leaves out. */
const fixtures = join(packageRoot, 'fixtures/test-suites')
const files = readdirSync(fixtures, { recursive: true, encoding: 'utf8' })
  .filter(file => file.endsWith('.ts'))
  .map(file => join(fixtures, file))

t.test('the types of guestcert/api take what works and refuse what does not', async t => {
  const bad = Object.fromEntries(Object.entries(refused).map(([name, [text]]) => [name, text]))
  const found = compile({ ...sound, ...bad }, files)
  for (const name of [...Object.keys(sound), ...files]) {
    t.same(found.get(name), [], name)
  }
  for (const [name, [, mistake]] of Object.entries(refused)) {
    const mistakes = found.get(name) ?? []
    t.equal(mistakes.length, 1, `${name}: ${mistakes.join('; ')}`)
    t.match(mistakes[0], mistake, name)
  }
})
