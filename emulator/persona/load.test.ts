import { mkdtempSync, readdirSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { ConfigError, UsageError } from '../errors.js'
import { bootForTest, personaFolder, runScript } from '../harness.test.helper.js'
import {
  loadGuestPersona,
  loadHostPersona,
  loadPersona,
  parsePersona,
  readPersona,
  weakestProvenance,
} from './load.js'
import { applyOverlay } from './overlay.js'

const minimal = 'persona: x\nkind: part\ntitle: X\n'

function mistakes(text: string): string[] {
  try {
    parsePersona(text, 'x.yaml')
  } catch (error) {
    if (error instanceof ConfigError) return error.message.split('\n')
    throw error
  }
  return []
}

t.test('every mistake is told with its place', async t => {
  t.strictSame(mistakes(minimal), [])
  const [first = '', second = ''] = mistakes(
    `${minimal}files:\n  /etc/x: { text: hello }\nkernal: { from: assumed }\n`,
  )
  t.match(first, /^x\.yaml:5:\d+: files › \/etc\/x.*/)
  t.match(second, /^x\.yaml:\d+:\d+: .*kernal/)
  t.match(
    mistakes(`${minimal}clock: { from: hearsay }\n`)[0] ?? '',
    /^x\.yaml:4:10: clock › from: .*transcript: URL/,
  )
  t.match(mistakes(`${minimal}files: [\n`)[0] ?? '', /^x\.yaml:\d+:\d+: /)
  t.match(mistakes('kind: part\ntitle: X\n')[0] ?? '', /persona/)
})

t.test('a fact without provenance is no fact', async t => {
  for (const section of [
    'shell: { path: /bin/sh, flavour: dash, firstUid: 1000 }',
    'files: { /etc/x: { text: a } }',
    'commands: { uname: { stdout: a } }',
    'log: [{ lines: [] }]',
    'programs: [{ paths: [/bin/true] }]',
    'entropy: { available: 1, poolBits: 1, random: flows }',
  ]) {
    t.match(mistakes(`${minimal}${section}\n`).join('\n'), /from/, section)
  }
  t.strictSame(
    mistakes(`${minimal}files: { /etc/x: { from: 'vendor: https://example.com/x', text: a } }\n`),
    [],
  )
})

t.test('later files win, null takes away, lists grow', async t => {
  const base = parsePersona(
    `${minimal}files:\n  /a: { from: assumed, text: '1' }\n  /b: { from: assumed, text: '1' }\nlog: [{ from: assumed, lines: [{ at: 0, text: one }] }]\n`,
    'base',
  )
  const over = parsePersona(
    `persona: m\nkind: mutant\ntitle: changed\nfiles:\n  /a: { from: mutant, text: '2' }\n  /b: null\nlog: [{ from: mutant, lines: [{ at: 1, text: two }] }]\n`,
    'over',
  )
  const merged = applyOverlay(base, over)
  t.match(merged.files['/a'], { text: '2' })
  t.equal(merged.files['/b'], null)
  t.strictSame(
    merged.log.map(group => group.from),
    ['assumed', 'mutant'],
  )
  t.strictSame([merged.persona, merged.kind, merged.title], ['x+m', 'part', 'X, changed'])
})

t.test('the weakest provenance of what was used', async t => {
  const persona = parsePersona(
    `${minimal}files:\n  /a: { from: captured, text: '' }\n  /b: { from: 'vendor: https://example.com', text: '' }\n  /c: { from: assumed, text: '' }\n`,
    'x',
  )
  t.equal(weakestProvenance(persona, ['files /a']), 'captured')
  t.equal(weakestProvenance(persona, ['files /a', 'files /b']), 'vendor: https://example.com')
  t.equal(weakestProvenance(persona, ['files /a', 'files /c', 'files /b']), 'assumed')
  t.equal(weakestProvenance(persona, ['files /none']), undefined)
})

t.test('what is missing or circular is told', async t => {
  t.throws(() => loadPersona('nobody', [personaFolder]), UsageError)
  t.throws(() => loadGuestPersona('linux', [personaFolder]), /ssh: is missing/)
  const folder = mkdtempSync(join(tmpdir(), 'personas-'))
  for (const [name, other] of [
    ['a', 'b'],
    ['b', 'a'],
  ]) {
    writeFileSync(join(folder, `${name}.yaml`), `persona: ${name}\nkind: part\ntitle: X\nextends: ${other}\n`)
  }
  t.throws(() => loadPersona('a', [folder]), /extends itself/)
})

/** Files of Linux personas, by folder. */
function shipped(folder: string): string[] {
  return readdirSync(join(personaFolder, folder))
    .filter(name => name.endsWith('.yaml') && !/^(?:windows|win|hyper-v-server)/.test(name))
    .map(name => name.slice(0, -5))
}

t.test('the personas that ship are whole', async t => {
  const guests = shipped('.').filter(name => isLinux(join(personaFolder, `${name}.yaml`)))
  t.ok(guests.length >= 6)
  for (const name of guests) t.equal(loadGuestPersona(name, [personaFolder]).persona, name)
  for (const name of shipped('hosts')) t.equal(loadHostPersona(name, [personaFolder]).persona, name)
})

function isLinux(file: string): boolean {
  try {
    readPersona(file)
    return true
  } catch {
    return false
  }
}

t.test('mutants change what they name, on any base', async t => {
  const seen: Readonly<Record<string, (stdout: Readonly<Record<'clean' | 'mutant', string>>) => boolean>> = {
    'one-cpu-less': ({ clean, mutant }) => /cpus 2/.test(clean) && /cpus 1/.test(mutant),
    'half-memory': ({ clean, mutant }) => memory(mutant) < memory(clean) * 0.55,
    'tainted-kernel': ({ mutant }) => /tainted 4098/.test(mutant),
    'kernel-oops': ({ clean, mutant }) => !/Oops/.test(clean) && /Call Trace/.test(mutant),
    'wrong-release': ({ clean, mutant }) => clean !== mutant && /Other|Taroon/.test(mutant),
    'other-architecture': ({ clean, mutant }) => /arch x86_64/.test(clean) && /arch i686/.test(mutant),
    'no-entropy': ({ mutant }) => /entropy 0\n/.test(mutant),
    'clock-off': ({ clean, mutant }) => wall(mutant) - wall(clean) > 3_500,
    'disk-corrupts': ({ clean, mutant }) => /disk same/.test(clean) && /disk other/.test(mutant),
  }
  const look = `echo cpus $(grep -c ^processor /proc/cpuinfo); grep MemTotal /proc/meminfo; echo arch $(uname -m); echo tainted $(cat /proc/sys/kernel/tainted)
    dmesg; cat /etc/*release; echo entropy $(cat /proc/sys/kernel/random/entropy_avail); echo wall $(date +%s)
    dd if=/dev/zero of=/root/d bs=64k count=8 2>/dev/null; dd if=/dev/zero bs=64k count=8 2>/dev/null | cmp -s - /root/d && echo disk same || echo disk other`
  for (const base of ['rhel-5.11', 'ubuntu-24.04']) {
    const clean = (await runScript(bootForTest(base, {}, 'rhel-9-kvm'), look)).stdout
    for (const [name, differs] of Object.entries(seen)) {
      const mutant = (await runScript(bootForTest(`${base}+${name}`, {}, 'rhel-9-kvm'), look)).stdout
      t.ok(differs({ clean, mutant }), `${base}+${name}`, { clean, mutant })
    }
  }
})

function memory(stdout: string): number {
  return Number(/MemTotal: +(\d+)/.exec(stdout)?.[1])
}

function wall(stdout: string): number {
  return Number(/wall (\d+)/.exec(stdout)?.[1])
}

t.test('clocks that step back do so, and the others never', async t => {
  const samples = 'i=0; while [ $i -lt 60 ]; do date +%s%N; i=$((i+1)); sleep 0.01; done'
  const back = ({ stdout }: { stdout: string }): number => {
    const times = stdout.trim().split('\n').map(BigInt)
    return times.filter((time, index) => index > 0 && time < (times[index - 1] ?? 0n)).length
  }
  const [good, bad] = await Promise.all([
    runScript(bootForTest('rhel-5.11'), samples),
    runScript(bootForTest('rhel-5.11+clock-steps-back'), samples),
  ])
  t.equal(back(good), 0)
  t.ok(back(bad) > 0)
})
