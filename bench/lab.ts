import { chmod, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Servers } from './sshd.js'

/** A lab whose guests are the servers, with one suite. */
export interface BenchLab {
  readonly folder: string
  readonly servers: Pick<Servers, 'addresses' | 'port' | 'user' | 'keyPath' | 'hostKey'>
  /** Where there are more than servers, several of them are one machine. */
  readonly guests: number
  readonly testsEach: number
  /** `parallel` for scripts of which several run at once on one guest. */
  readonly kind: 'script' | 'parallel' | 'module'
}

const script = "#!/bin/sh\nprintf 'TAP version 14\\nok 1 - it is here\\n1..1\\n'\n"
const module = `import { test } from 'guestcert/api'

export default test(async ({ guest, expect }) => {
  const { stdout } = await guest.run('echo here')
  expect(stdout).toBe('here\\n', 'it is here')
})
`

/** Writes a lab. Returns the paths of its tests, in the order in which they run. */
export async function writeLab({ folder, servers, guests, testsEach, kind }: BenchLab): Promise<string[]> {
  const suite = join(folder, 'suite')
  await mkdir(suite, { recursive: true })
  await chmod(folder, 0o755)
  const [extension, content] = kind === 'module' ? ['ts', module] : ['sh', script]
  const names = Array.from({ length: testsEach }, (_, index) => `t${index + 1}.${extension}`)
  for (const name of names) {
    await writeFile(join(suite, name), content, { mode: 0o755 })
  }
  const what = (name: string): string =>
    kind === 'module'
      ? `module: ${name}`
      : `script: ${name}, protocol: tap${kind === 'parallel' ? ', parallel: true' : ''}`
  const tests = names.map(
    (name, index) =>
      `  - { id: t${index + 1}, title: "Number ${index + 1}", requirements: [B-1], level: required, ${what(name)} }`,
  )
  await writeFile(
    join(suite, 'suite.yaml'),
    `suite: bench\nversion: 1.0.0\ntitle: Bench\n${kind === 'module' ? 'api: 1\n' : ''}tests:\n${tests.join('\n')}\n`,
  )
  const { addresses, port, user, keyPath, hostKey } = servers
  const login = `{ user: ${user}, key: "file:${keyPath}", hostKey: "${hostKey}" }`
  const listed = Array.from(
    { length: guests },
    (_, index) =>
      `  g${index + 1}: { product: linux, version: "1", arch: x86_64, login: ${login}, on: { here: { address: "${addresses[index % addresses.length]}:${port}", configuration: {} } } }`,
  )
  await writeFile(
    join(folder, 'lab.yaml'),
    `lab: bench\nhosts: { here: { product: none, version: "1", driver: static } }\nguests:\n${listed.join('\n')}\nsuites: [./suite]\n`,
  )
  return names.map(name => join(suite, name))
}
