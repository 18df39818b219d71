import { constants } from 'node:fs'
import { access, mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { InfraError } from '../../config/errors.js'
import type { Limit } from '../limit.js'
import type { BuiltImage } from '../shared/image.js'
import { programStarter, runTool, tail, toolPath } from '../shared/tool.js'
import { type Accelerator, kernelCommandLine } from './arguments.js'

/** Which accelerator guests get, and why, in one line. */
export interface AcceleratorChoice {
  readonly accelerator: Accelerator
  readonly why: string
}

const verdictSchema = z.object({ bootId: z.string(), works: z.boolean(), why: z.string(), at: z.string() })
type Verdict = z.infer<typeof verdictSchema>

const device = '/dev/kvm'
const probeMemory = '512M'
const kvmFailure = 'KVM internal error'
/** Longer than any chunk and the words that end in it. */
const windowLength = 256 * 1024

export interface AcceleratorProbe {
  readonly cacheFolder: string
  readonly where: string
  readonly limit: Limit
}

/**
 * KVM where it proves to boot this image, else TCG. A `/dev/kvm` that is there and even runs firmware may
 * still fail in the middle of a boot, so nothing less than a whole boot counts. What was found holds until
 * the machine boots again.
 */
export async function chooseAccelerator(
  probe: AcceleratorProbe,
  image: BuiltImage | null,
  signal: AbortSignal,
): Promise<AcceleratorChoice> {
  const usable = await access(device, constants.R_OK | constants.W_OK).then(
    () => true,
    () => false,
  )
  if (!usable) {
    return { accelerator: 'tcg', why: `${device} is not there or not ours to use` }
  }
  const known = await readVerdict(probe.cacheFolder)
  if (known !== null) {
    return choice(known)
  }
  if (image === null) {
    return { accelerator: 'tcg', why: 'KVM is not proven: no image of "lab build" to try it with' }
  }
  const why = await bootUnderKvm(probe, image, signal)
  const verdict = await writeVerdict(probe.cacheFolder, why === null, why ?? `it booted ${image.name}`)
  return choice(verdict)
}

/** KVM failed under a guest: until the machine boots again, it is not used. */
export async function distrustKvm(cacheFolder: string, why: string): Promise<void> {
  await writeVerdict(cacheFolder, false, why)
}

function choice({ works, why }: Verdict): AcceleratorChoice {
  return works
    ? { accelerator: 'kvm', why: `KVM proved to work: ${why}` }
    : { accelerator: 'tcg', why: `KVM does not work here: ${why}` }
}

/** Boots the image until its console says that it is up; `null` when it did, else why it did not. */
async function bootUnderKvm(
  probe: AcceleratorProbe,
  image: BuiltImage,
  signal: AbortSignal,
): Promise<string | null> {
  const folder = await mkdtemp(join(tmpdir(), 'guestcert-probe-'))
  try {
    const overlay = join(folder, 'overlay.qcow2')
    const create = ['create', '-q', '-f', 'qcow2', '-F', image.diskFormat, '-b', image.disk, overlay]
    await runTool('qemu-img', create, { ...probe, signal, cause: 'host' })
    return await watchBoot(probeArguments(image, overlay), image.manifest.bootedMark, probe, signal)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function watchBoot(
  args: readonly string[],
  mark: string,
  { where, limit }: AcceleratorProbe,
  signal: AbortSignal,
): Promise<string | null> {
  const command = ['--pdeathsig', 'KILL', '--', 'qemu-system-x86_64', ...args]
  const start = await programStarter()
  const child = start('setpriv', command, {
    reject: false,
    stdin: 'ignore',
    timeout: limit.ms,
    cancelSignal: signal,
    killSignal: 'SIGKILL',
    maxBuffer: { stdout: 4_000_000, stderr: 100_000 },
    env: { LC_ALL: 'C.UTF-8', PATH: toolPath() },
  })
  const booted = endWhenSaid(child, child.stdout, mark)
  // KVM's failure pauses the guest for ever: nothing more would come.
  const broken = endWhenSaid(child, child.stderr, kvmFailure)
  const { stderr, stdout, timedOut } = await child
  if (signal.aborted) {
    throw new InfraError(`${where}: the KVM probe was cancelled`, {
      cause: 'runner',
      where,
      code: 'cancelled',
    })
  }
  if (booted() && !broken()) {
    return null
  }
  const failure = stderr.split('\n').find(line => line.includes(kvmFailure))
  return failure ?? (timedOut ? `no boot within ${limit.ms} ms` : `QEMU ended: ${tail(stderr || stdout)}`)
}

/** Ends the probe as soon as a stream says something; tells whether it did. */
function endWhenSaid(
  child: { kill: (signal: 'SIGKILL') => boolean },
  stream: NodeJS.ReadableStream,
  words: string,
): () => boolean {
  let window = ''
  let said = false
  stream.on('data', (chunk: Buffer) => {
    window = (window + chunk.toString('latin1')).slice(-windowLength)
    if (!said && window.includes(words)) {
      said = true
      child.kill('SIGKILL')
    }
  })
  return () => said
}

function probeArguments(image: BuiltImage, overlay: string): string[] {
  const append = kernelCommandLine(image.manifest.kernelArguments, '0'.repeat(31).concat('1'))
  return [
    ['-no-user-config', '-nodefaults', '-display', 'none', '-no-reboot'],
    ['-machine', 'pc', '-accel', 'kvm', '-cpu', 'host', '-m', probeMemory],
    ['-drive', `if=virtio,format=qcow2,cache=unsafe,file=${overlay.replaceAll(',', ',,')}`],
    ['-netdev', 'user,id=net0,restrict=on', '-device', 'virtio-net-pci,netdev=net0'],
    ['-kernel', image.kernel, '-initrd', image.initrd, '-append', append, '-serial', 'stdio'],
  ].flat()
}

async function readVerdict(cacheFolder: string): Promise<Verdict | null> {
  try {
    const text = await readFile(join(await verdictFolder(cacheFolder), 'kvm.json'), 'utf8')
    const verdict = verdictSchema.parse(JSON.parse(text))
    return verdict.bootId === (await bootId()) ? verdict : null
  } catch {
    return null
  }
}

async function writeVerdict(cacheFolder: string, works: boolean, why: string): Promise<Verdict> {
  const verdict = { bootId: await bootId(), works, why, at: new Date().toISOString() }
  const file = join(await verdictFolder(cacheFolder), 'kvm.json')
  const part = `${file}.${process.pid}`
  await writeFile(part, `${JSON.stringify(verdict, null, 2)}\n`)
  await rename(part, file)
  return verdict
}

async function verdictFolder(cacheFolder: string): Promise<string> {
  const folder = join(cacheFolder, 'qemu')
  await mkdir(folder, { recursive: true, mode: 0o700 })
  return folder
}

async function bootId(): Promise<string> {
  return (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim()
}
