import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'
import t from 'tap'
import { packageRoot } from '../config/package-root.js'
import type { Folded } from './folded.js'
import { harmless, unlisted } from './kernel-log.test.lines.js'
import { runShell } from './shell-library.test.cases.js'

const suite = join(packageRoot, 'suites/core')

interface Entry {
  readonly group: string
  readonly kind: string
  readonly expression: string
  readonly line: string
  readonly from: string
}

async function readList(): Promise<readonly Entry[]> {
  const entries: Entry[] = []
  let group = ''
  let started: { kind: string; expression: string; line?: string } | null = null
  for (const text of (await readFile(join(suite, 'kernel-log.list'), 'utf8')).split('\n')) {
    const [, word = '', value = ''] = /^(\w+) (.*)$/.exec(text) ?? []
    if (word === 'group') group = value.replace(/ .*/, '')
    if (word === 'find' || word === 'spare') {
      t.equal(started, null, `the entry before ${value} is whole`)
      started = { kind: word, expression: value }
    }
    if (word === 'line' && started !== null) started.line = value
    if (word === 'from' && started !== null) {
      entries.push({
        group,
        kind: started.kind,
        expression: started.expression,
        line: started.line ?? '',
        from: value,
      })
      started = null
    }
  }
  t.equal(started, null, 'the last entry is whole')
  return entries
}

const release = (await execa('uname', ['-r'])).stdout
const boot = `[    0.000000] Linux version ${release} (builder) #1 SMP`

interface Line {
  readonly text: string
  /** As the kernel prints it, with the facility of programs from 8 on. */
  readonly severity?: number
}

/** Runs the test with a `dmesg` that prints these lines: a new one, or one that knows no severities. */
async function judge(
  lines: readonly Line[],
  dmesg: 'new' | 'old' | 'none' = 'new',
  env: Readonly<Record<string, string>> = {},
): Promise<Folded> {
  const folder = t.testdir({})
  const bin = join(folder, 'bin')
  await mkdir(bin, { recursive: true })
  const all = [{ text: boot, severity: 5 }, ...lines.map(line => ({ severity: 6, ...line }))]
  await writeFile(join(folder, 'raw'), all.map(({ text, severity }) => `<${severity}>${text}\n`).join(''))
  await writeFile(join(folder, 'plain'), all.map(({ text }) => `${text}\n`).join(''))
  const script = {
    new: `case "$*" in *-r*) cat ${folder}/raw ;; *) cat ${folder}/plain ;; esac`,
    old: `case "$*" in *-r*) echo "dmesg: invalid option -- r" >&2; exit 1 ;; *) cat ${folder}/plain ;; esac`,
    none: 'exit 1',
  }[dmesg]
  await writeFile(join(bin, 'dmesg'), `#!/bin/sh\n${script}\n`)
  await chmod(join(bin, 'dmesg'), 0o755)
  return runShell(['/bin/sh', join(suite, 'kernel-log.sh')], {
    GUESTCERT_SUITE: suite,
    GC_TMP: folder,
    PATH: `${bin}:${process.env.PATH ?? ''}`,
    ...env,
  })
}

const at = (text: string): string => `[   12.345678] ${text}`
/** The lines that failed checks told. */
const told = ({ checks }: Folded): string => checks.map(({ diagnostics = '' }) => diagnostics).join('\n')

const list = await readList()

t.test('every expression finds its own line, and says where the line comes from', async t => {
  t.ok(list.length > 100, `${list.length} entries`)
  for (const { expression, line, from } of list) {
    const { exitCode } = await execa('grep', ['-E', '-e', expression], { input: `${line}\n`, reject: false })
    t.equal(exitCode, 0, `${expression}: ${line}`)
    t.match(from, /^https:\/\/|\.[chS],? .*Linux \d|\.[chS] and |\.[chS], Linux /, from)
  }
})

t.test('every line of the list is found in a log, with severities and without', async t => {
  const found = list.filter(({ kind }) => kind === 'find')
  for (const group of new Set(found.map(({ group }) => group))) {
    const all = found.filter(entry => entry.group === group)
    // The check tells twenty lines.
    for (let from = 0; from < all.length; from += 20) {
      const some = all.slice(from, from + 20)
      for (const dmesg of ['new', 'old'] as const) {
        const folded = await judge(
          some.map(({ line }) => ({ text: at(line) })),
          dmesg,
        )
        t.equal(folded.verdict, 'fail', `${group}, ${dmesg} dmesg`)
        const text = told(folded).replaceAll("''", "'")
        for (const { line } of some) t.ok(text.includes(line.trimEnd().replaceAll('\t', ' ')), line)
      }
    }
  }
})

t.test('other lines of the same kinds are found one by one', async t => {
  for (const line of unlisted) {
    t.match(await judge([{ text: at(line) }], 'old'), { verdict: 'fail' }, line)
  }
})

t.test('lines of sound machines raise no alarm, whatever their severity is', async t => {
  t.ok(harmless.length >= 40, `${harmless.length} lines`)
  const lines = harmless.map(({ line, severity }) => ({ text: at(line), severity }))
  for (const dmesg of ['new', 'old'] as const) {
    const folded = await judge(lines, dmesg)
    t.equal(folded.verdict, 'pass', `${dmesg}: ${told(folded)}`)
  }
  const spared = list.filter(({ kind }) => kind === 'spare')
  const severe = await judge(spared.map(({ line }) => ({ text: at(line), severity: 0 })))
  t.equal(severe.verdict, 'pass', told(severe))
})

t.test('a severity that the kernel keeps for what is broken is a fault without a known word', async t => {
  for (const severity of [0, 1, 2]) {
    const folded = await judge([{ text: at('frobnicator: it is over'), severity }])
    t.match(folded, { verdict: 'fail', reason: /severity emerg, alert or crit/ }, String(severity))
  }
  for (const severity of [3, 4, 5, 6, 7]) {
    t.match(
      await judge([{ text: at('frobnicator: it is over'), severity }]),
      { verdict: 'pass' },
      String(severity),
    )
  }
  const counted = await judge([{ text: at('frobnicator: no such device'), severity: 3 }])
  t.match(counted.measures['kernel-log-errors'], { value: 1, unit: 'lines' })
})

t.test('what programs write into the log is not the kernel’s', async t => {
  for (const severity of [8 + 2, 24 + 0, 80 + 1]) {
    const folded = await judge([{ text: at('systemd[1]: BUG: Freezing execution.'), severity }])
    t.equal(folded.verdict, 'pass', String(severity))
  }
})

t.test('a log that cannot be read is not a clean one', async t => {
  t.match(await judge([], 'none'), { verdict: 'error', reason: /cannot be read/ })
})

t.test('an NMI of unknown reason is a fault, unless it was injected in this boot', async t => {
  const lines = [
    'Uhhuh. NMI received for unknown reason 21 on CPU 0.',
    'Do you have a strange power saving mode enabled?',
    'Dazed and confused, but trying to continue',
  ].map(text => ({ text: at(text), severity: 0 }))
  for (const dmesg of ['new', 'old'] as const) {
    t.match(await judge(lines, dmesg), { verdict: 'fail' })
    const folded = await judge(lines, dmesg, { GC_NMI: 'injected' })
    t.equal(folded.verdict, 'pass', told(folded))
  }
  const other = [...lines, { text: at('NMI: PCI system error (SERR) for reason b1 on CPU 0.'), severity: 0 }]
  t.match(await judge(other, 'new', { GC_NMI: 'injected' }), { verdict: 'fail' }, 'it spares nothing else')
})
