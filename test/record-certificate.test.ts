import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'
import t from 'tap'
import { stringify } from 'yaml'
import { sampleRecord } from '../src/record/ledger/record.test.fixture.js'
import { harness, samplePolicy, suiteDigest } from '../src/record/sample.test.fixture.js'
import { guestcert } from './cli-io.js'
import { registeredRun } from './registered-run.js'

const policy = samplePolicy({
  kit: { harness: [harness], suites: { guestcert: [suiteDigest], core: [suiteDigest] } },
  ageDays: 3650,
  validDays: 365,
})

t.test('two parties decide, one challenges, the other answers, and a certificate comes of it', async t => {
  const record = await sampleRecord(t)
  const keys = t.testdir()
  for (const [name, key] of Object.entries(record.keys)) {
    await writeFile(join(keys, `${name}.pem`), key.export({ type: 'pkcs8', format: 'pem' }))
  }
  await writeFile(join(keys, 'policy.yaml'), stringify(policy))
  const run = (...args: string[]) => guestcert([...args, '--record', record.folder], { cwd: keys })
  const by = (name: string): string[] => ['--key', `${name}.pem`, '--log-key', 'log.pem']
  const leafIn = (text: string): string => /, ([0-9a-f]{64})$/m.exec(text)?.[1] ?? ''

  const first = leafIn((await run('record', 'add', await registeredRun(t, record, 'one'), ...by('a'))).stdout)
  const early = await run('record', 'decide', '--policy', 'policy.yaml', '--dry-run')
  t.match(early, { code: 1, stdout: /^ {2}not-reproduced: /m })
  t.equal(early.stdout.match(/^ {2}(?!run: )/gm)?.length, 1, early.stdout)

  const challenge = await run('record', 'challenge', first, '--sample', '1', ...by('b'))
  t.match(challenge, { code: 0, stdout: /run again, registered from now on: --test core\// })
  const rerun = await run('record', 'add', await registeredRun(t, record, 'two'), ...by('a'))
  const answer = await run('record', 'answer', leafIn(challenge.stdout), leafIn(rerun.stdout), ...by('a'))
  t.match(answer, { code: 0 })

  const ours = await run('record', 'decide', '--policy', 'policy.yaml', ...by('a'))
  t.match(ours, { code: 0, stdout: /debian-12-on-debian-12: certified until/ })
  t.notMatch(ours.stdout, /certificate/, 'one party alone certifies nothing')
  t.match(await run('record', 'status'), { stdout: /not certified .*not every party/ })
  // The other party has no key of the log: it signs on a copy, and the keeper submits what it sends.
  const own = ['--key', 'b.pem', '--out', 'decision.json']
  t.match(await run('record', 'decide', '--policy', 'policy.yaml', ...own), { code: 0 })
  const decision = await readFile(join(keys, 'decision.json'), 'utf8')
  await writeFile(join(keys, 'forged.json'), decision.replace(/"sig": "..../, '"sig": "AAAA'))
  t.match(await run('record', 'submit', 'forged.json', '--log-key', 'log.pem'), {
    code: 2,
    stderr: /signed by nobody whose key counts/,
  })
  t.match(await run('record', 'submit', 'decision.json', '--log-key', 'log.pem'), {
    code: 0,
    stdout: /^recorded: decision, entry/m,
  })
  const theirs = await run('record', 'decide', '--policy', 'policy.yaml', ...by('a'))
  t.match(theirs, { code: 0, stdout: /certificate GC-\d{4}-[0-9a-f]{8}/ })

  t.match(await run('record', 'status'), { stdout: /debian-12-on-debian-12 +certified +\d{4}-/ })
  t.match(await run('record', 'status', '--as-of', '2099-01-01'), { stdout: / expired / })
  t.match(await run('record', 'status', '--as-of', '2020-01-01'), { stdout: / not certified / })
  await writeFile(
    join(keys, 'facts.yaml'),
    stringify({ guest: { kernel: 'Linux 6.1.0-31-amd64 x86_64' }, host: {} }),
  )
  t.match(await run('record', 'status', '--facts', 'facts.yaml'), {
    stdout: /kernel: certified "Linux 6\.1\.0-28/,
  })
  await writeFile(join(keys, 'other.yaml'), stringify({ guest: { 'os.release': '13' }, host: {} }))
  t.match(await run('record', 'status', '--facts', 'other.yaml'), { stdout: / not covered\n/ })

  await run('record', 'sign', 'head', '--key', 'witness.pem')
  t.match(await run('record', 'verify'), { code: 0, stdout: /vendor-b cosigned the head/ })
  const exported = await run('record', 'export', 'bundle')
  t.match(exported, { code: 0, stdout: /begin with VERIFY\.md/ })
  const summed = await execa('sha256sum', ['-c', '--quiet', 'SHA256SUMS'], { cwd: join(keys, 'bundle') })
  t.equal(summed.exitCode, 0)
  const files = await readdir(join(keys, 'bundle'), { recursive: true })
  t.notOk(
    files.some(file => file.endsWith('.pem')),
    'no key is exported',
  )
  t.match(await guestcert(['record', 'verify', '--record', 'bundle/record'], { cwd: keys }), {
    code: 0,
    stdout: /2 journals folded again/,
  })
  const catalogue = JSON.parse(await readFile(join(keys, 'bundle/catalogue/catalogue.json'), 'utf8'))
  t.match(catalogue, {
    pairings: [{ pairing: 'debian-12-on-debian-12', state: 'certified', support: { first: 'vendor-a' } }],
  })
  const matrix = await readFile(join(keys, 'bundle/catalogue/index.html'), 'utf8')
  t.match(matrix, /<a href="debian-12-on-debian-12\.html">Debian 12 on Debian 12 with KVM<\/a>/)
  t.notMatch(matrix, /<script/)
  t.match(await run('record', 'export', 'short', '--redacted'), { code: 0 })
  t.match(await readFile(join(keys, 'short/VERIFY.md'), 'utf8'), /This copy is redacted/)
  t.match(await guestcert(['record', 'verify', '--record', 'short/record'], { cwd: keys }), {
    code: 0,
    stdout: /2 runs without their journal: their verdicts cannot be checked/,
  })
  const handed = await run('record', 'handover', 'debian-12-on-debian-12', '--facts', 'other.yaml')
  t.equal(handed.code, 0, handed.stderr)
  const handover = await readFile(join(keys, 'handover/debian-12-on-debian-12/handover.html'), 'utf8')
  t.match(handover, /os\.release<\/th><td[^>]*>12<\/td><td[^>]*>13<\/td><td[^>]*>differs/)
  t.match(handover, /redacted copy/)

  const certificate = leafIn(theirs.stdout.slice(theirs.stdout.indexOf('certificate')))
  t.match(await run('record', 'revoke', certificate, '--why', 'a fault was found', ...by('b')), { code: 0 })
  t.match(await run('record', 'status'), {
    stdout: / revoked .*revoked by vendor-b on .*: a fault was found/,
  })

  // A rolled-back log: an older head, signed by the log itself.
  const head = await readFile(join(record.folder, 'checkpoint'))
  await writeFile(join(keys, 'head'), head)
  const again = await sampleRecord(t)
  await writeFile(join(again.folder, 'trust.yaml'), await readFile(join(record.folder, 'trust.yaml')))
  t.match(await guestcert(['record', 'verify', '--record', again.folder], { cwd: keys }), {
    code: 1,
    stdout: /^checkpoint: it is not a head of example\.org\/record that the log's key has signed/,
  })
})

t.test('a plan that was edited after the run is not recorded, and is named where it is kept', async t => {
  const record = await sampleRecord(t)
  const keys = t.testdir()
  for (const name of ['a', 'log'] as const) {
    const pem = record.keys[name].export({ type: 'pkcs8', format: 'pem' })
    await writeFile(join(keys, `${name}.pem`), pem)
  }
  const run = (...args: string[]) => guestcert([...args, '--record', record.folder], { cwd: keys })
  const add = (folder: string) => run('record', 'add', folder, '--key', 'a.pem', '--log-key', 'log.pem')
  const folder = await registeredRun(t, record, 'edited')
  const plan = await readFile(join(folder, 'plan.json'), 'utf8')
  const edits = [
    ['"emulated":false', '"emulated":true'],
    [`"suiteDigest":"${suiteDigest}"`, `"suiteDigest":"${'b'.repeat(64)}"`],
    ['"product":"debian","version":"12"', '"product":"debian","version":"13"'],
  ] as const
  for (const [from, to] of edits) {
    await writeFile(join(folder, 'plan.json'), plan.replace(from, to))
    t.match(await add(folder), { code: 2, stderr: /plan\.json was changed: / }, to)
  }
  await writeFile(join(folder, 'plan.json'), plan)
  t.match(await add(folder), { code: 0 })
  t.match(await run('record', 'verify'), { code: 0 })
  const [kept = ''] = await readdir(join(record.folder, 'runs'))
  const file = join(record.folder, 'runs', kept, 'plan.json')
  // The digest of a plan leaves out why a test is not in it, and its hosts: that of its bytes does not.
  await writeFile(file, plan.replace('"the host has no such ability"', '"nobody asked for it"'))
  t.match(await run('record', 'verify'), {
    code: 1,
    stdout: /plan\.json: it is not the plan that was recorded/,
  })
  await writeFile(file, plan.replace('"emulated":false', '"emulated":true'))
  t.match(await run('record', 'verify'), { code: 1, stdout: /plan\.json was changed: / })
})

t.test('a journal whose lines were changed or left out is not recorded', async t => {
  const record = await sampleRecord(t)
  const keys = t.testdir()
  for (const name of ['a', 'log'] as const) {
    const pem = record.keys[name].export({ type: 'pkcs8', format: 'pem' })
    await writeFile(join(keys, `${name}.pem`), pem)
  }
  const flags = ['--key', 'a.pem', '--log-key', 'log.pem', '--record', record.folder]
  const folder = await registeredRun(t, record, 'edited')
  const file = join(folder, 'journal.ndjson')
  const journal = await readFile(file, 'utf8')
  const lines = journal.split('\n')
  const ended = lines.findIndex(line => line.includes('"test-ended"'))
  const edits = [
    [lines.toSpliced(ended, 1), /event \d+ is missing/],
    [lines.toSpliced(ended, 0, lines[ended] ?? ''), /event \d+ is missing/],
    [
      lines.with(ended, (lines[ended] ?? '').replace('"verdict":"pass"', '"verdict":"fail"')),
      /counts 3 with pass, and its events come to 2/,
    ],
  ] as const
  for (const [edited, why] of edits) {
    await writeFile(file, edited.join('\n'))
    t.match(await guestcert(['record', 'add', folder, ...flags], { cwd: keys }), { code: 2, stderr: why })
  }
  await writeFile(file, journal)
  t.match(await guestcert(['record', 'add', folder, ...flags], { cwd: keys }), { code: 0 })
})
