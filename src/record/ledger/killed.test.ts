import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import t from 'tap'
import { statementAbout } from './entries.js'
import { readRecord } from './read.js'
import { sampleRecord } from './record.test.fixture.js'

/** Appends without an end, and says each entry that it was told is recorded. */
const program = `
const [{ append }, { seal }, { statementAbout }, { parseVerifierKey, verifierKeyText }] = await Promise.all(
  ['./append.js', '../envelope/dsse.js', './entries.js', '../log/note-keys.js'].map(path => import(new URL(path, process.env.BASE))),
)
const { createPrivateKey, createPublicKey } = await import('node:crypto')
const { FOLDER, ORIGIN, LOG, KEY, NAME } = process.env
const [log, key] = [createPrivateKey(LOG), createPrivateKey(KEY)]
const verifier = parseVerifierKey(verifierKeyText(ORIGIN, createPublicKey(log)))
for (let n = 0; ; n += 1) {
  const statement = statementAbout('rejection', [], { at: '2026-11-22T10:00:00.000Z', why: NAME + n })
  const entry = { kind: 'rejection', envelope: seal(statement, key), cites: [] }
  const [{ leaf }] = await append({ folder: FOLDER, origin: ORIGIN, key: log, verifier }, [entry])
  console.log(leaf)
}
`

t.test('a program that is killed in the midst of appending loses nothing that it said', async t => {
  const record = await sampleRecord(t)
  const pem = (name: 'log' | 'a'): string =>
    record.keys[name].export({ type: 'pkcs8', format: 'pem' }).toString()
  const told: string[] = []
  const rounds = 4
  for (let round = 0; round < rounds; round += 1) {
    const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: {
        ...process.env,
        BASE: import.meta.url,
        FOLDER: record.folder,
        ORIGIN: record.writer.origin,
        LOG: pem('log'),
        KEY: pem('a'),
        NAME: `round ${round}, `,
      },
    })
    let heard = 0
    createInterface({ input: child.stdout }).on('line', leaf => {
      told.push(leaf)
      heard += 1
      if (heard === 3 + round * 5) child.kill('SIGKILL')
    })
    await once(child, 'close')
    const { flaws, entries } = await readRecord(record.folder)
    t.same(flaws, [], `after round ${round} the record is whole`)
    const leaves = new Set(entries.map(({ leaf }) => leaf))
    t.same(
      told.filter(leaf => !leaves.has(leaf)),
      [],
      'all that was told is there',
    )
  }
  const last = statementAbout('rejection', [], { at: '2026-11-22T10:00:00.000Z', why: 'after all' })
  t.equal((await record.add('rejection', last, 'a')).isNew, true, 'the lock of the dead is nobody’s')
  t.same((await readRecord(record.folder)).flaws, [])
})
