import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { guestcert } from '../../test/cli-io.js'
import { labOf } from '../config/load.js'
import { parseYaml } from '../config/yaml.js'
import { builtinCatalog } from '../hypervisors/registry.js'
import { labTemplate } from './lab-template.js'

const cwd = await mkdtemp(join(tmpdir(), 'guestcert-init-'))
t.teardown(() => rm(cwd, { recursive: true }))

t.test('a new lab file is written, and is a sound lab', async t => {
  t.match(await guestcert(['init'], { cwd }), {
    code: 0,
    stdout: /^wrote lab\.yaml\n[\s\S]*guestcert plan lab\.yaml/,
  })
  const text = await readFile(join(cwd, 'lab.yaml'), 'utf8')
  t.equal(labOf(parseYaml('lab.yaml', text), builtinCatalog).guests.size, 1)
})

t.test('what its comments show is sound too', async t => {
  // Lines that would be YAML without their comment sign; prose stays what it is.
  const entry =
    /^( *)# ((?: *)(?:here|debian12|product|version|arch|driver|capacity|login|on|defaults|parallel|retries|limits):.*)$/
  const text = labTemplate
    .split('\n')
    .map(line => line.replace(entry, '$1$2'))
    .join('\n')
  const lab = labOf(parseYaml('lab.yaml', text), builtinCatalog)
  t.same([...lab.guests.keys()], ['rhel9', 'debian12'])
  t.same([...lab.hosts.keys()], ['running', 'here'])
})

t.test('a file that is there is left as it is', async t => {
  const before = await readFile(join(cwd, 'lab.yaml'), 'utf8')
  t.match(await guestcert(['init', 'lab.yaml'], { cwd }), {
    code: 2,
    stderr: 'guestcert: lab.yaml already exists and was not changed\n',
  })
  t.equal(await readFile(join(cwd, 'lab.yaml'), 'utf8'), before)
})

t.test('a folder that is not there is a usage error', async t => {
  t.match(await guestcert(['init', 'no/such/lab.yaml'], { cwd }), { code: 2, stderr: /cannot write/ })
})
