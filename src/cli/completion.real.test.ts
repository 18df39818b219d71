import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { execa } from 'execa'
import t from 'tap'
import { guestcert } from '../../test/cli-io.js'
import { sampleEnvironment, sampleJournal, samplePlan, sampleTest } from '../../test/sample-run.js'
import { storeRun } from '../../test/stored-run.js'

// `bash` comes with Debian's bash.
const cwd = await mkdtemp(join(tmpdir(), 'guestcert-completion-'))
t.teardown(() => rm(cwd, { recursive: true }))
const { stdout: script } = await guestcert(['completion', 'bash'])
await writeFile(join(cwd, 'guestcert.bash'), script)
await writeFile(join(cwd, 'my lab.yaml'), '')
const plan = samplePlan([sampleEnvironment('g@p-1/c', [sampleTest('s/t')])])
await storeRun(join(cwd, 'reports/20261122-101500-a1b2'), plan, sampleJournal(plan).events)

/** What bash offers at the end of a line; its words as bash would split them. */
async function offered(...words: readonly string[]): Promise<string[]> {
  const driver = `source guestcert.bash
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _guestcert; printf '%s\\n' "\${COMPREPLY[@]}"`
  const { stdout } = await execa('bash', ['--norc', '-c', driver, 'bash', 'guestcert', ...words], { cwd })
  return stdout.split('\n').filter(line => line !== '')
}

t.test('bash accepts the script without a word', async t => {
  t.match(await execa('bash', ['--norc', '-uc', 'source guestcert.bash'], { cwd }), {
    stdout: '',
    stderr: '',
  })
})

t.test('commands, and the second words of groups', async t => {
  t.same(await offered('re'), ['resume', 'report', 'reports', 'record'])
  t.same(await offered('lab', ''), ['build', 'up', 'down', 'clean'])
  t.same(await offered('--no-color', 'lab', 'b'), ['build'])
})

t.test('flags of the command, and the values of flags', async t => {
  t.same(await offered('run', '--le'), ['--level'])
  t.same(await offered('run', 'lab.yaml', '--level', ''), ['required', 'optional'])
  t.same(await offered('run', 'lab.yaml', '--level', '=', 'r'), ['required'])
  t.same(await offered('reports', 'prune', '--ke'), ['--keep'])
  t.same(await offered('run', '--guest', ''), [], 'nothing where nothing is known')
})

t.test('arguments: words, files with blanks, and runs', async t => {
  t.same(await offered('list', 't'), ['tests'])
  t.same(await offered('list', '--json', 't'), ['tests'])
  t.same(await offered('lab', 'build', ''), ['debian', 'debian-generic', 'debian-xen', 'xen-dom0'])
  t.same(await offered('run', '--level', 'required', 'my'), ['my lab.yaml'])
  t.same(await offered('report', ''), ['latest', '20261122-101500-a1b2'])
})
