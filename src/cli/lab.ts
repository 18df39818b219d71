import { existsSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { UsageError } from '../config/errors.js'
import type { Lab } from '../config/model.js'
import { packageRoot } from '../config/package-root.js'
import { imagesFolder } from '../hypervisors/shared/cache.js'
import { hasEmulatedGuests } from '../lab/emulated-request.js'
import { buildImage } from '../lab/images/build.js'
import { imageFolderName, loadRecipe } from '../lab/images/recipe.js'
import { bringHostUp, madeHostsOf, takeHostDown } from '../lab/made-hosts.js'
import { bringLabUp, findRunningLab, takeLabDown } from '../lab/running.js'
import { answer, lines } from './answer.js'
import { type CommandIo, isSet, type ParsedArgs, requiredArgument } from './args.js'
import { cacheFolder } from './folders.js'
import { watchInterrupts } from './interrupts.js'
import { loadLab } from './load-lab.js'
import { table } from './table.js'

/** `guestcert lab build|up|down`. */
export async function run(args: ParsedArgs, io: CommandIo): Promise<number> {
  switch (args.command) {
    case 'lab build':
      return build(args, io)
    case 'lab up':
      return up(args, io)
    default:
      return down(args, io)
  }
}

async function build(args: ParsedArgs, io: CommandIo): Promise<number> {
  const recipe = await loadRecipe(requiredArgument(args, 'IMAGE'))
  if (isSet(args, 'force')) {
    await rm(join(imagesFolder(cacheFolder()), imageFolderName(recipe)), { recursive: true, force: true })
  }
  const interrupts = watchInterrupts(text => io.stderr.write(text), io.signal)
  try {
    const image = await buildImage(recipe, {
      cacheFolder: cacheFolder(),
      signal: interrupts.any,
      onProgress: text => io.stderr.write(`${text}\n`),
    })
    answer(args, io, {
      value: { image: recipe.name, folder: image.folder, keyPath: image.keyPath, hostKey: image.hostKey },
      text: () => lines([image.folder]),
      quiet: () => '',
    })
    return 0
  } finally {
    interrupts.close()
  }
}

async function emulatedLab(args: ParsedArgs, io: CommandIo): Promise<Lab> {
  const lab = await loadLab(labFile(requiredArgument(args, 'LAB'), io.cwd), io)
  if (!hasEmulatedGuests(lab) && madeHostsOf(lab).length === 0) {
    throw new UsageError(`${lab.file} has no emulated machines: "guestcert run" starts its guests`)
  }
  return lab
}

/** Labs that ship with the program, by a name that is no file's. */
const shipped: Readonly<Record<string, string>> = { xen: 'xen-debian' }

function labFile(nameOrPath: string, cwd: string): string {
  const name = shipped[nameOrPath]
  const path = resolve(cwd, nameOrPath)
  return name === undefined || existsSync(path) ? path : join(packageRoot, 'fixtures', 'labs', `${name}.yaml`)
}

/** How to log in to something that was brought up. */
interface Login {
  readonly name: string
  readonly user: string
  readonly host: string
  readonly port: number
  readonly key: string | null
  readonly hostKey: string | null
}

function loginLine({ user, host, port, key }: Login): string {
  return `ssh ${key === null ? '' : `-i ${key} `}-p ${port} ${user}@${host}`
}

function loginTable(heading: string, logins: readonly Login[]): string {
  const rows = logins.map(login => [login.name, loginLine(login), login.hostKey ?? ''])
  // Not fitted to the terminal: a command line is there to be copied.
  return rows.length === 0 ? '' : table({ headings: [heading, 'LOGIN', 'HOST KEY'], rows }, text => text)
}

/** Boots the hosts that a lab has images of. */
async function hostsUp(lab: Lab, io: CommandIo): Promise<readonly Login[]> {
  const hosts = madeHostsOf(lab)
  const interrupts = watchInterrupts(text => io.stderr.write(text), io.signal)
  try {
    const logins: Login[] = []
    for (const host of hosts) {
      const made = await bringHostUp(lab, host, {
        cacheFolder: cacheFolder(),
        signal: interrupts.any,
        onProgress: text => io.stderr.write(`${text}\n`),
      })
      const { endpoint, login } = host.connect ?? {}
      logins.push({
        name: host.id,
        user: login?.user ?? 'root',
        host: endpoint?.host ?? '',
        port: endpoint?.port ?? 22,
        key: made.image.keyPath,
        hostKey: made.image.hostKey,
      })
      const how = made.started ? 'started' : 'is already up'
      io.stderr.write(`${host.id} ${how}: process ${made.pid}; stop it with "guestcert lab down"\n`)
    }
    return logins
  } finally {
    interrupts.close()
  }
}

async function up(args: ParsedArgs, io: CommandIo): Promise<number> {
  const lab = await emulatedLab(args, io)
  const hosts = await hostsUp(lab, io)
  const guests = hasEmulatedGuests(lab) ? await emulatedUp(lab, io) : []
  answer(args, io, {
    value: [...hosts, ...guests],
    text: () => loginTable('HOST', hosts) + loginTable('NAME', guests),
    quiet: () => lines([...hosts, ...guests].map(loginLine)),
  })
  return 0
}

async function emulatedUp(lab: Lab, io: CommandIo): Promise<readonly Login[]> {
  const found = await findRunningLab(lab, cacheFolder())
  const running = found ?? (await bringLabUp(lab, cacheFolder()))
  // Guests of hosts that start theirs are reached through these, once they run.
  const listening = [...running.access].filter(([name]) => !running.hosts.has(name.split('.')[1] ?? ''))
  io.stderr.write(
    `${found === null ? 'started' : 'is already up'}: process ${running.pid}; stop it with "guestcert lab down"\n`,
  )
  return [...running.hosts, ...listening].map(([name, { endpoint, keyPath, hostKey }]) => ({
    name,
    user: lab.guests.get(name.split('.')[0] ?? '')?.login.user ?? 'root',
    host: endpoint.host,
    port: endpoint.port,
    key: keyPath ?? null,
    hostKey: hostKey ?? null,
  }))
}

async function down(args: ParsedArgs, io: CommandIo): Promise<number> {
  const lab = await emulatedLab(args, io)
  const down = [await takeLabDown(lab, cacheFolder())]
  for (const host of madeHostsOf(lab)) {
    down.push(await takeHostDown(lab, host, cacheFolder()))
  }
  const wasUp = down.includes(true)
  answer(args, io, {
    value: { lab: lab.name, wasUp },
    text: () => lines([wasUp ? `${lab.name} is down` : `${lab.name} was not up`]),
    quiet: () => '',
  })
  return 0
}
