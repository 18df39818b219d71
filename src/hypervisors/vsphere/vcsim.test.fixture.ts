import { execFile, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { access, mkdir, readFile, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { packageRoot } from '../../config/package-root.js'
import { defaultCacheFolder } from '../shared/cache.js'

const run = promisify(execFile)
const goPath = '/usr/share/gocode'

/** A simulator that runs. */
export interface Vcsim {
  readonly url: string
  readonly user: string
  readonly password: string
  close(): Promise<void>
}

/**
 * Builds govmomi's vSphere simulator from Debian's packages golang-go and golang-github-vmware-govmomi-dev, once for
 * each version of its program; needs a minute and no network.
 */
export async function buildVcsim(): Promise<string> {
  const source = join(packageRoot, 'test', 'vsphere', 'vcsim.go')
  const digest = createHash('sha256')
    .update(await readFile(source))
    .digest('hex')
  const folder = join(defaultCacheFolder(), 'vcsim')
  const program = join(folder, `vcsim-${digest.slice(0, 16)}`)
  const isThere = await access(program).then(
    () => true,
    () => false,
  )
  if (!isThere) {
    await mkdir(folder, { recursive: true })
    const made = `${program}.${process.pid}`
    const env = { ...process.env, GOPATH: goPath, GO111MODULE: 'off', GOCACHE: join(folder, 'go') }
    await run('go', ['build', '-o', made, source], { env })
    await rename(made, program)
  }
  return program
}

/** Whether the packages are installed that it is built from. */
export async function missingForVcsim(): Promise<string | null> {
  for (const path of ['/usr/bin/go', `${goPath}/src/github.com/vmware/govmomi/simulator`]) {
    try {
      await access(path)
    } catch {
      return `${path} is not installed`
    }
  }
  return null
}

/** Starts a simulator: a vCenter, or one ESXi host. */
export async function startVcsim(program: string, args: readonly string[] = []): Promise<Vcsim> {
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] })
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string]
  const { url } = JSON.parse(line) as { url: string }
  return {
    url,
    user: 'user',
    password: 'pass',
    close: async () => {
      child.stdin.end()
      await once(child, 'exit')
    },
  }
}
