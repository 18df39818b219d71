import { generateKeyPairSync } from 'node:crypto'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { seal } from '../src/record/envelope/dsse.js'
import { append, beginLog } from '../src/record/ledger/append.js'
import { statementAbout } from '../src/record/ledger/entries.js'
import { readRecord } from '../src/record/ledger/read.js'
import { verifyRecord } from '../src/record/ledger/verify.js'
import { parseVerifierKey, verifierKeyText } from '../src/record/log/note-keys.js'

const [entries, origin] = [10_000, 'example/bench']

/** A record of so many entries: appending one more, reading all of it with every signature, and verifying it. */
export async function benchRecord(print: (line: string) => void): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'gc-bench-'))
  try {
    const [log, key] = [generateKeyPairSync('ed25519'), generateKeyPairSync('ed25519')]
    const verifierKey = verifierKeyText(origin, log.publicKey)
    const trust = {
      trust: 'bench',
      version: 1,
      log: { origin, key: verifierKey },
      keys: {
        lab: {
          party: 'lab',
          roles: ['lab'],
          key: key.publicKey.export({ type: 'spki', format: 'pem' }).toString(),
          from: '2020-01-01',
          until: '2099-01-01',
        },
      },
    }
    await writeFile(join(folder, 'record.yaml'), stringify({ record: 'bench', party: 'lab' }))
    await writeFile(join(folder, 'trust.yaml'), stringify(trust))
    const verifier = parseVerifierKey(verifierKey)
    if (verifier === null) throw new Error('the key cannot be read back')
    const writer = { folder, origin, key: log.privateKey, verifier }
    await beginLog(writer)
    const entry = (index: number) => {
      const predicate = { at: '2026-11-22T10:00:00.000Z', why: `remark ${index}` }
      const statement = statementAbout('rejection', [], predicate)
      return { kind: 'rejection', envelope: seal(statement, key.privateKey), cites: [] }
    }
    const all = Array.from({ length: entries }, (_, index) => entry(index))
    await timed(`append ${entries} at once`, print, () => append(writer, all))
    await timed('append one more', print, () => append(writer, [entry(entries)]))
    const record = await timed('read all, with every signature', print, () => readRecord(folder))
    await timed('verify', print, () =>
      verifyRecord(record, { readSource: async () => null, harnessDigest: '' }),
    )
    await timed('an inclusion proof', print, async () => record.log.tree.inclusion(entries / 2))
    const head = await readFile(join(folder, 'checkpoint'), 'utf8')
    print(`flaws ${record.flaws.length}, head of ${head.split('\n')[1]} entries`)
    print(`peak memory ${Math.round(process.resourceUsage().maxRSS / 1024)} MiB`)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function timed<T>(what: string, print: (line: string) => void, work: () => Promise<T>): Promise<T> {
  const [startedAt, before] = [performance.now(), process.cpuUsage()]
  const result = await work()
  const { user, system } = process.cpuUsage(before)
  const wall = performance.now() - startedAt
  print(
    `${what.padEnd(34)} ${wall.toFixed(0).padStart(7)} ms, ${((user + system) / 1000).toFixed(0)} ms of CPU`,
  )
  return result
}
