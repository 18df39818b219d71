import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { realShell, startServer } from '../src/remote/server.test.fixture.js'
import { guestcert } from './cli-io.js'

/** A driver that the program does not know: it "starts" a server of the test, and counts what it was asked to do. */
const driver = (port: number, calls: string) => `
import { appendFileSync } from 'node:fs'
const note = word => appendFileSync(${JSON.stringify(calls)}, word + '\\n')
export default {
  name: 'acme',
  title: 'Acme Hypervisor',
  startsGuests: true,
  needsConnect: false,
  migrates: false,
  ownMachines: true,
  cleanStates: ['snapshot'],
  products: [{ id: 'acme-hv', title: 'Acme Hypervisor' }],
  placementMistakes: ({ vm }) => (vm === undefined ? ['the driver acme needs "vm"'] : []),
  open: ({ host, limits, manage }) => ({
    name: 'acme',
    abilities: () => new Set(['pause', 'stop']),
    facts: async () => ({ 'acme.build': '7' }),
    instance: request => {
      let power = 'off'
      const command = (name, becomes) => async () => {
        note(name)
        power = becomes
        const holds = seen => seen.power === becomes
        return { value: undefined, shows: { what: name, cause: 'host', limit: limits.command, holds } }
      }
      const backend = {
        instance: request.instance,
        limits,
        lent: false,
        graceMs: 0,
        keepHint: 'acme console',
        prepare: async () => note('prepare ' + request.placement.vm),
        begin: command('start', 'on'),
        describe: async () => ({
          host: host.id,
          incarnation: null,
          facts: { accelerator: 'acme' },
          abilities: new Set(['pause', 'stop']),
          console: null,
        }),
        observe: async () => ({ power, said: power, incarnation: null, host: host.id, devices: null }),
        watch: () => () => {},
        access: async () => ({ endpoint: { host: '127.0.0.1', port: ${port}, jumps: [] } }),
        start: command('start', 'on'),
        requestShutdown: command('shutdown', 'off'),
        kill: command('kill', 'off'),
        pause: command('pause', 'paused'),
        resume: command('resume', 'on'),
        remove: async () => note('remove'),
      }
      return manage(backend, request)
    },
    close: async () => note('close ' + host.id),
  }),
}
`

const lab = (hostKey: string, { vm = 'vm: one, ', drivers = './acme.mjs' } = {}) => `lab: outside
drivers: ["${drivers}"]
defaults: { limits: { boot: 60s } }
hosts: { a: { product: acme-hv, version: "7", driver: acme } }
guests:
  one:
    product: debian
    version: "12"
    arch: x86_64
    login: { user: root, password: env:TEST_PASSWORD, hostKey: "${hostKey}" }
    on: { a: { ${vm}clean: { snapshot: clean }, configuration: {} } }
suites: [./suite]
`

const suite = `suite: outside
version: 1.0.0
title: On a hypervisor that is not built in
tests:
  - { id: script, title: A script, requirements: [X-1], level: required, script: one.sh, protocol: tap }
  - { id: module, title: A module, requirements: [X-1], level: required, module: two.ts, needs: { host: [pause] } }
  - { id: nmi, title: Not offered, requirements: [X-1], level: optional, module: two.ts, needs: { host: [nmi] } }
`

const script = `#!/bin/sh
. "$GUESTCERT/tap.sh"
is 1 1 'one is one'
done_testing
`

const testModule = `import { test } from 'guestcert/api'
export default test(async ({ host, guest, expect }) => {
  await host.pause()
  await host.resume()
  expect((await guest.run('echo here')).stdout).toBe('here\\n', 'the guest answers')
})
`

process.env.TEST_PASSWORD = 'S3cret-of-the-test'

t.test('a driver in a file that the lab names carries a whole run, to JUnit and teardown', async t => {
  const server = await startServer({ exec: realShell() })
  t.teardown(() => server.close())
  const cwd = t.testdir({
    suite: { 'suite.yaml': suite, 'one.sh': script, 'two.ts': testModule },
    'lab.yaml': lab(server.fingerprints[0] ?? ''),
  })
  const calls = join(cwd, 'calls')
  await writeFile(join(cwd, 'acme.mjs'), driver(server.port, calls))

  const plan = await guestcert(['plan', 'lab.yaml'], { cwd })
  t.match(plan.stdout, /outside\/nmi\n {4}.*nmi/, 'what the driver does not offer is left out')
  const doctor = await guestcert(['doctor', 'lab.yaml'], { cwd })
  t.match(doctor.stdout, /a: the driver acme asks it nothing/)
  const run = await guestcert(['run', 'lab.yaml', '--reporter', 'plain'], { cwd })
  t.equal(run.code, 0, run.stdout + run.stderr)
  const junit = await findJunit(join(cwd, 'reports/latest/junit'))
  t.match(junit, /acme-hv/)
  t.match(junit, /A script/)
  t.notMatch(junit, /<(failure|error)/)
  const asked = (await readFile(calls, 'utf8')).trim().split('\n')
  t.equal(asked.at(-1), 'close a')
  t.same(
    asked.filter(word => !word.startsWith('close')),
    ['prepare one', 'start', 'pause', 'resume', 'shutdown', 'remove'],
  )
})

t.test('mistakes of such a driver, and of a lab that uses it, have a place', async t => {
  // Node loads a module once for each path: every case has a folder of its own.
  const root = t.testdir()
  let cases = 0
  const refused = async (text: string, code: string): Promise<string> => {
    cases += 1
    const folder = `case-${cases}`
    const cwd = join(root, folder)
    await mkdir(cwd, { recursive: true })
    const files = {
      'suite/suite.yaml': suite,
      'suite/one.sh': script,
      'suite/two.ts': testModule,
      'lab.yaml': text,
      'acme.mjs': code,
    }
    await mkdir(join(cwd, 'suite'))
    await Promise.all(Object.entries(files).map(([name, content]) => writeFile(join(cwd, name), content)))
    const { code: exit, stderr } = await guestcert(['plan', 'lab.yaml'], { cwd })
    t.equal(exit, 2)
    return stderr
  }
  const sound = driver(1, '/dev/null')
  t.match(
    await refused(lab('SHA256:x', { drivers: './none.mjs' }), sound),
    /lab\.yaml:2:\d+: cannot load the driver/,
  )
  t.match(await refused(lab('SHA256:x'), 'export default 1'), /lab\.yaml:2:\d+: .*does not export a driver/)
  t.match(await refused(lab('SHA256:x'), sound.replace("'acme',", "'qemu',")), /already a driver "qemu"/)
  t.match(
    await refused(lab('SHA256:x'), sound.replace('startsGuests: true', 'startsGuests: 1')),
    /"startsGuests" of the driver must be a boolean/,
  )
  t.match(
    await refused(lab(`SHA256:${'A'.repeat(43)}`, { vm: '' }), sound),
    /lab\.yaml:\d+:\d+: the driver acme needs "vm"/,
  )
})

async function findJunit(folder: string): Promise<string> {
  const names = (await readdir(folder, { recursive: true })).filter(name => name.endsWith('.xml'))
  return readFile(join(folder, names[0] ?? ''), 'utf8')
}
