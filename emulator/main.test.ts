import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync } from 'node:fs'
import { connect as connectTcp } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import t from 'tap'
import { eventually } from './client.test.helper.js'
import { personaFolder } from './harness.test.helper.js'

// Tests run compiled or, with tsx, as they are written.
const compiled = join(import.meta.dirname, 'main.js')
const entry = existsSync(compiled) ? [compiled] : ['--import', 'tsx', join(import.meta.dirname, 'main.ts')]

interface Answer {
  readonly guests: readonly { name: string; host: string; port: number; hostKeyFingerprint: string }[]
}

function start(spec: object): { child: ReturnType<typeof spawn>; answer: Promise<Answer> } {
  const child = spawn(process.execPath, entry, { stdio: ['pipe', 'pipe', 'pipe'] })
  child.stdin?.write(`${JSON.stringify(spec)}\n`)
  if (!child.stdout) throw new Error('no output')
  const lines = createInterface({ input: child.stdout })
  return { child, answer: once(lines, 'line').then(([line]) => JSON.parse(String(line)) as Answer) }
}

const guest = {
  name: 'one',
  persona: 'rhel-9',
  personaFolders: [personaFolder],
  hardware: { vcpus: 1, memoryBytes: 2 ** 30 },
  users: [{ name: 'root', password: 'x' }],
}

function answers(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connectTcp(port, '127.0.0.1')
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}

t.test('tells addresses, and ends with its standard input', async t => {
  const { child, answer } = start({ guests: [guest, { ...guest, name: 'two' }] })
  t.teardown(() => child.kill('SIGKILL'))
  const { guests } = await answer
  t.strictSame(
    guests.map(({ name }) => name),
    ['one', 'two'],
  )
  t.match(guests[0]?.hostKeyFingerprint, /^SHA256:.{43}$/)
  let up = false
  const port = guests[0]?.port ?? 0
  await eventually('boot', () => {
    void answers(port).then(is => {
      up ||= is
    })
    return up
  })
  child.stdin?.end()
  const [code] = await once(child, 'exit')
  t.equal(code, 0)
  t.equal(await answers(port), false)
})

t.test('ends with SIGTERM, and keeps ports and keys in its state folder', async t => {
  const stateFolder = mkdtempSync(join(tmpdir(), 'emulated-'))
  const seen: unknown[] = []
  for (let turn = 0; turn < 2; turn++) {
    const { child, answer } = start({ guests: [guest], stateFolder, lasting: true })
    t.teardown(() => child.kill('SIGKILL'))
    const { guests } = await answer
    seen.push(guests)
    child.stdin?.end()
    child.kill('SIGTERM')
    const [code] = await once(child, 'exit')
    t.equal(code, 0)
  }
  t.strictSame(seen[1], seen[0])
})

t.test('says what is wrong with a spec, and ends', async t => {
  const child = spawn(process.execPath, entry, { stdio: ['pipe', 'pipe', 'pipe'] })
  const said = once(createInterface({ input: child.stdout }), 'line')
  child.stdin.write(`${JSON.stringify({ guests: [{ ...guest, persona: 'nobody' }] })}\n`)
  const [code] = await once(child, 'exit')
  t.equal(code, 2)
  t.match(JSON.parse(String((await said)[0])), { refused: /no persona nobody/ })
})
