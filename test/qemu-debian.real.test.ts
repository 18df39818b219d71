import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'
import { SaxesParser } from 'saxes'
import t from 'tap'
import { packageRoot } from '../src/config/package-root.js'
import { guestcertProcess } from './cli-process.js'

const [program, ...args] = guestcertProcess
const lab = join(packageRoot, 'fixtures/labs/qemu-debian.yaml')

t.test('two real Debian guests at once', { timeout: 1_700_000 }, async t => {
  const build = await execa(program, [...args, 'lab', 'build', 'debian'], { reject: false })
  t.equal(build.exitCode, 0, build.stderr)
  const folder = t.testdir()
  const { exitCode, stdout } = await execa(program, [...args, 'run', lab, '-o', join(folder, 'reports')], {
    reject: false,
  })
  t.equal(exitCode, 0, stdout)
  const run = join(folder, 'reports/latest')
  const { counts, environments } = JSON.parse(await readFile(join(run, 'summary.json'), 'utf8')) as {
    counts: { pass: number }
    environments: { emulated: boolean }[]
  }
  // Both brought up, the core suite on both, and what their host does to them; hot-plug on the machine that takes it.
  t.equal(counts.pass, 2 + 24 + 5 + 3)
  t.same(
    environments.map(({ emulated }) => emulated),
    [false, false],
  )

  await t.test('leave well-formed JUnit files that xmllint and saxes accept', async t => {
    for (const name of await readdir(join(run, 'junit'))) {
      const path = join(run, 'junit', name)
      const lint = await execa('xmllint', ['--noout', path], { reject: false })
      t.equal(lint.exitCode, 0, lint.stderr)
      const parser = new SaxesParser()
      parser.on('error', error => t.fail(error.message))
      parser.write(await readFile(path, 'utf8')).close()
    }
  })

  await t.test('leave their consoles as evidence, from power-on', async t => {
    const files = await readdir(join(run, 'evidence'), { recursive: true })
    const consoles = files.filter(name => name.endsWith('console.log'))
    t.equal(consoles.length, 2)
    for (const name of consoles) {
      t.match(await readFile(join(run, 'evidence', name), 'utf8'), /Linux version/)
    }
  })

  await t.test('leave nothing running', async t => {
    const { stdout: processes } = await execa('ps', ['-eo', 'args'])
    const name = /run (\d{8}-\d{6}-[0-9a-f]{4})/.exec(stdout)?.[1]
    t.type(name, 'string')
    t.notOk(processes.includes(`gc-${name}`), 'no process of this run is left')
  })
})
