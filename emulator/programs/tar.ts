import { gunzipSync, gzipSync } from 'node:zlib'
import { extract, pack } from 'tar-stream'
import { type Bytes, fromText, toText } from '../files/bytes.js'
import { describe, SystemError } from '../files/errno.js'
import type { Node } from '../files/nodes.js'
import { absolute } from '../files/tree.js'
import { openFor } from '../shell/redirect.js'
import type { Call, Program } from '../system/programs.js'
import { readAll, writeTo } from './io.js'
import { readOptions } from './options.js'
import { chunks, complain } from './streams.js'

const longNames = {
  extract: 'x',
  get: 'x',
  create: 'c',
  list: 't',
  file: 'f',
  directory: 'C',
  gzip: 'z',
  gunzip: 'z',
  verbose: 'v',
  'same-permissions': 'p',
  'preserve-permissions': 'p',
  'no-same-owner': 'o',
  'no-same-permissions': 'P',
  touch: 'm',
  overwrite: 'O',
  warning: 'W',
  owner: 'W',
  group: 'W',
}

type Header = Parameters<ReturnType<typeof pack>['entry']>[0]

/** One entry of an archive, in memory. */
interface Entry {
  readonly header: Header
  readonly content: Buffer
}

function readArchive(data: Buffer): Promise<Entry[]> {
  return new Promise((resolve, reject) => {
    const entries: Entry[] = []
    const reader = extract()
    reader.on('entry', (header, stream, next) => {
      const parts: Buffer[] = []
      stream.on('data', part => parts.push(part as Buffer))
      stream.on('end', () => {
        entries.push({ header, content: Buffer.concat(parts) })
        next()
      })
      stream.on('error', reject)
    })
    reader.on('finish', () => resolve(entries))
    reader.on('error', reject)
    reader.end(data)
  })
}

async function input(call: Call, file: Bytes | undefined, unzip: boolean): Promise<Buffer> {
  let data: Buffer
  if (file === undefined || file === '-') data = await readAll(call.process, 0)
  else {
    const opened = openFor(call.system, call.process, file, { read: true })
    const parts: Buffer[] = []
    for await (const part of chunks(call, opened)) parts.push(part)
    opened.release()
    data = Buffer.concat(parts)
  }
  const zipped = data[0] === 0x1f && data[1] === 0x8b
  return unzip || zipped ? gunzipSync(data) : data
}

/** A path inside the archive, made harmless: no root, no `..`. */
function memberPath(name: string): Bytes | undefined {
  const parts = fromText(name)
    .split('/')
    .filter(part => part !== '' && part !== '.')
  return parts.includes('..') ? undefined : parts.join('/')
}

async function extractAll(
  call: Call,
  entries: readonly Entry[],
  base: Bytes,
  verbose: boolean,
  keepMode: boolean,
): Promise<number> {
  const { tree } = call.system
  const { process } = call
  let status = 0
  const mask = keepMode || process.uid === 0 ? 0 : process.umask
  for (const { header, content } of entries) {
    const path = memberPath(header.name)
    if (path === undefined) {
      status = await complain(call, `${header.name}: Member name contains '..'`).then(() => 2)
      continue
    }
    if (verbose) await writeTo(process, 1, `${fromText(header.name)}\n`)
    const full = path === '' ? base : `${base}/${path}`
    try {
      const mode = (header.mode ?? 0o644) & 0o7777 & ~mask
      if (header.type === 'directory') makeDirectories(call, full, mode)
      else if (header.type === 'symlink') {
        makeDirectories(call, full.slice(0, full.lastIndexOf('/')))
        const found = tree.find(full, process, false)
        tree.place(found, tree.makeLink(fromText(header.linkname ?? '')), process, full)
      } else {
        makeDirectories(call, full.slice(0, full.lastIndexOf('/')))
        const found = tree.find(full, process, false)
        if (found.node) tree.remove(found, process, full)
        const file = openFor(call.system, process, full, { write: true, create: true, exclusive: true })
        await file.write(content, process.signal)
        file.release()
        const node = tree.need(full, process)
        node.mode = mode
        if (header.mtime) tree.touch(node, header.mtime.getTime())
      }
    } catch (error) {
      if (!(error instanceof SystemError)) throw error
      status = await complain(call, `${header.name}: Cannot open: ${describe(error)}`).then(() => 2)
    }
  }
  return status
}

/** Makes a directory with those above it. */
export function makeDirectories(call: Call, path: Bytes, mode?: number): void {
  const { tree } = call.system
  const known = path === '' ? tree.root : tree.lookup(path, call.process)
  if (known?.type === 'directory') {
    if (mode !== undefined && path !== '' && known.uid === call.process.uid) known.mode = mode
    return
  }
  makeDirectories(call, path.slice(0, path.lastIndexOf('/')))
  const made = tree.makeDirectory(undefined, mode ?? 0o777 & ~call.process.umask)
  made.uid = call.process.uid
  made.gid = call.process.gid
  tree.place(tree.find(path, call.process), made, call.process, path)
}

async function createArchive(
  call: Call,
  base: Bytes,
  names: readonly Bytes[],
  verbose: (name: Bytes) => Promise<void>,
): Promise<Buffer> {
  const { tree } = call.system
  const archive = pack()
  const parts: Buffer[] = []
  archive.on('data', part => parts.push(part as Buffer))
  const ended = new Promise<void>((resolve, reject) => {
    archive.on('end', resolve)
    archive.on('error', reject)
  })
  const add = async (name: Bytes): Promise<void> => {
    const path = absolute(base, name)
    const node = tree.need(path, call.process, false)
    await verbose(name)
    const header = {
      name: toText(name.replace(/^\/+/, '')),
      mode: node.mode,
      uid: node.uid,
      gid: node.gid,
      mtime: new Date(node.modifiedMs),
    }
    if (node.type === 'directory') {
      archive.entry({ ...header, name: `${header.name.replace(/\/$/, '')}/`, type: 'directory' })
      for (const child of node.entries.names(call.process).sort())
        await add(`${name.replace(/\/$/, '')}/${child}`)
    } else if (node.type === 'link')
      archive.entry({ ...header, type: 'symlink', linkname: toText(linkTarget(node, call)) })
    else archive.entry(header, Buffer.from(tree.read(path, call.process), 'latin1'))
  }
  for (const name of names) await add(name)
  archive.finalize()
  await ended
  return Buffer.concat(parts)
}

function linkTarget(node: Extract<Node, { type: 'link' }>, call: Call): Bytes {
  return typeof node.target === 'string' ? node.target : node.target(call.process)
}

const tar: Program = async call => {
  // The first word may be letters without a dash; those that take a value take the next words.
  const args = call.args.map((arg, index) => (index === 0 && !arg.startsWith('-') ? `-${arg}` : arg))
  const options = readOptions(args, 'xctf:C:zvpomOPBhkW:', longNames)
  if (options.mistake !== undefined) return complain(call, options.mistake).then(() => 2)
  const directory = options.value('C')
  const base = directory === undefined ? call.process.cwd : absolute(call.process.cwd, directory)
  try {
    if (call.system.tree.need(base, call.process).type !== 'directory') throw new SystemError('ENOTDIR', base)
    const file = options.value('f')
    if (options.has('c')) {
      const verbose = (name: Bytes): Promise<void> =>
        options.has('v')
          ? writeTo(call.process, file === undefined || file === '-' ? 2 : 1, `${name}\n`)
          : Promise.resolve()
      const plain = await createArchive(call, base, options.operands, verbose)
      const data = options.has('z') ? gzipSync(plain) : plain
      const output =
        file === undefined || file === '-'
          ? call.process.files.need(1).retain()
          : openFor(call.system, call.process, file, { write: true, create: true, truncate: true })
      await output.write(data, call.process.signal)
      output.release()
      return 0
    }
    const entries = await readEntries(call, file, options.has('z'))
    if (typeof entries === 'number') return entries
    const wanted = options.operands.map(name => memberPath(toText(name)))
    const chosen = entries.filter(
      ({ header }) => wanted.length === 0 || wanted.some(name => isUnder(memberPath(header.name), name)),
    )
    if (options.has('t')) {
      for (const { header } of chosen) await writeTo(call.process, 1, `${fromText(header.name)}\n`)
      return 0
    }
    return await extractAll(call, chosen, base, options.has('v'), options.has('p'))
  } catch (error) {
    if (!(error instanceof SystemError) || error.code === 'EPIPE') throw error
    return complain(call, `${error.path}: Cannot open: ${describe(error)}`).then(() => 2)
  }
}

function isUnder(path: Bytes | undefined, wanted: Bytes | undefined): boolean {
  return path !== undefined && wanted !== undefined && (path === wanted || path.startsWith(`${wanted}/`))
}

async function readEntries(call: Call, file: Bytes | undefined, unzip: boolean): Promise<Entry[] | number> {
  const fail = (text: string): Promise<number> =>
    complain(call, text)
      .then(() => complain(call, 'Error is not recoverable: exiting now'))
      .then(() => 2)
  let data: Buffer
  try {
    data = await input(call, file, unzip)
  } catch (error) {
    if (error instanceof SystemError) throw error
    return fail('Child returned status 1')
  }
  // An archive ends in two empty blocks; one that was cut is an error, as in GNU tar.
  if (data.length < 1024)
    return fail(data.length === 0 ? 'This does not look like a tar archive' : 'Unexpected EOF in archive')
  try {
    return await readArchive(data)
  } catch {
    return fail('Unexpected EOF in archive')
  }
}

export const tarPrograms: Readonly<Record<string, Program>> = { tar }
