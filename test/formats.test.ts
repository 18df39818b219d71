/** Labs, plans and journals of version 0.1 are read; those of a version that is not known are refused by it. */
import { cp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { packageRoot } from '../src/config/package-root.js'
import { guestcert } from './cli-io.js'

/** A run that version 0.1 recorded. */
const recorded = join(packageRoot, 'fixtures/runs/0.1')

t.test('a lab that names another format is refused by it, whatever else it says', async t => {
  const lab = `lab: formats
hosts: { here: { product: rhel-kvm, version: "9.6", driver: static } }
guests: { deb: { product: debian, version: "12", arch: x86_64, emulated: debian-12, on: { here: { configuration: {} } } } }
suites: [builtin]
`
  for (const [head, line] of [
    [
      'format: 2\nfleets: {}\n',
      "lab.yaml:1:9: the lab's format is 2, and this program reads 1: use a newer one",
    ],
    ['format: 0.1\n', "lab.yaml:1:9: the lab's format is 0.1, and this program reads 1"],
    ['format: new\n', `lab.yaml:1:9: the lab's format is "new", and this program reads 1`],
  ]) {
    const cwd = t.testdir({ 'lab.yaml': `${head}${lab}` })
    t.match(await guestcert(['plan', 'lab.yaml'], { cwd }), { code: 2, stderr: `${join(cwd, line ?? '')}\n` })
  }
  for (const head of ['format: 1\n', '']) {
    const cwd = t.testdir({ 'lab.yaml': `${head}${lab}` })
    t.match(await guestcert(['plan', 'lab.yaml'], { cwd }), { code: 0, stderr: '' })
  }
})

t.test('every lab that ships is of version 0.1, and is read', async t => {
  const folder = join(packageRoot, 'fixtures/labs')
  const labs = (await readdir(folder)).filter(name => name.endsWith('.yaml'))
  t.ok(labs.length > 0)
  for (const name of labs) {
    t.notMatch(await readFile(join(folder, name), 'utf8'), /^format:/m, name)
  }
})

t.test('a run of version 0.1 is read, without all that was added since', async t => {
  const { code, stdout, stderr } = await guestcert(['report', recorded])
  t.equal(code, 1, stderr)
  t.match(stdout, '8: 4 passed, 1 failed, 1 error, 1 skipped, 1 blocked')
})

t.test('a run whose plan or journal has another format is refused, with one line', async t => {
  const folder = join(t.testdir(), 'run')
  for (const [name, from, to, line] of [
    [
      'plan.json',
      '{',
      '{"format":2,',
      /plan\.json:1:1: the plan's format is 2, and this program reads 1: use a newer one\n$/,
    ],
    [
      'journal.ndjson',
      '"v":1',
      '"v":7',
      /journal\.ndjson:1:1: the journal's format is 7, and this program reads 1: use a newer one\n$/,
    ],
  ] as const) {
    await rm(folder, { recursive: true, force: true })
    await cp(recorded, folder, { recursive: true })
    const path = join(folder, name)
    await writeFile(path, (await readFile(path, 'utf8')).replace(from, to))
    for (const command of ['report', 'resume', 'merge']) {
      const { code, stderr } = await guestcert([command, folder])
      t.equal(code, 2)
      t.match(stderr, line)
      t.equal(stderr.trimEnd().split('\n').length, 1)
    }
  }
})
