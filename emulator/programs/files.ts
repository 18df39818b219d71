import { randomBytes } from 'node:crypto'
import type { Bytes } from '../files/bytes.js'
import { describe, SystemError } from '../files/errno.js'
import { absolute } from '../files/tree.js'
import { openFor } from '../shell/redirect.js'
import type { Call, Program } from '../system/programs.js'
import { writeTo } from './io.js'
import { readOptions } from './options.js'
import { complain, size } from './streams.js'

/** Does something to each operand, and says for which it failed. */
async function eachPath(
  call: Call,
  paths: readonly Bytes[],
  verb: string,
  use: (path: Bytes) => void,
): Promise<number> {
  let status = 0
  if (paths.length === 0) return complain(call, 'missing operand')
  for (const path of paths) {
    try {
      use(absolute(call.process.cwd, path))
    } catch (error) {
      if (!(error instanceof SystemError)) throw error
      status = await complain(call, `${verb} '${path}': ${describe(error)}`)
    }
  }
  return status
}

const mktemp: Program = async call => {
  const options = readOptions(call.args, 'dqtup:V', {
    directory: 'd',
    quiet: 'q',
    tmpdir: 'p',
    'dry-run': 'u',
  })
  if (options.mistake !== undefined) return complain(call, options.mistake)
  const [template = 'tmp.XXXXXXXXXX'] = options.operands
  const temporary = options.value('p') || call.env.get('TMPDIR') || '/tmp'
  const inside = options.operands.length === 0 || options.has('t') || options.has('p')
  const marks = /X{3,}/.exec(template)?.[0]
  if (!marks) return complain(call, `too few X's in template '${template}'`)
  const letters = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789'
  for (let tries = 0; tries < 100; tries++) {
    const name = template.replace(/X{3,}(?!.*X{3,})/s, found =>
      [...randomBytes(found.length)].map(byte => letters[byte % letters.length]).join(''),
    )
    const path = inside ? `${temporary}/${name}` : name
    try {
      makeTemporary(call, absolute(call.process.cwd, path), options.has('d'))
    } catch (error) {
      if (!(error instanceof SystemError)) throw error
      if (error.code === 'EEXIST') continue
      return options.has('q')
        ? 1
        : complain(
            call,
            `failed to create ${options.has('d') ? 'directory' : 'file'} via template '${template}': ${describe(error)}`,
          )
    }
    await writeTo(call.process, 1, `${path}\n`)
    return 0
  }
  return 1
}

function makeTemporary(call: Call, path: Bytes, directory: boolean): void {
  const { tree } = call.system
  if (!directory) {
    openFor(call.system, call.process, path, {
      write: true,
      create: true,
      exclusive: true,
      mode: 0o600,
    }).release()
    return
  }
  const found = tree.find(path, call.process)
  if (found.node) throw new SystemError('EEXIST', path, 'mkdir')
  const made = tree.makeDirectory(undefined, 0o700)
  made.uid = call.process.uid
  made.gid = call.process.gid
  tree.place(found, made, call.process, path)
}

/** `mkdir` of coreutils, with modes in octal. */
const mkdir: Program = async call => {
  const options = readOptions(call.args, 'pvm:', { parents: 'p', verbose: 'v', mode: 'm' })
  if (options.mistake !== undefined) return complain(call, options.mistake)
  const mode = options.value('m')
  if (mode !== undefined && !/^[0-7]{1,4}$/.test(mode)) return complain(call, `invalid mode '${mode}'`)
  const { tree } = call.system
  const { umask, uid, gid } = call.process
  const make = (path: Bytes, bits: number): void => {
    const found = tree.find(path, call.process)
    if (found.node) throw new SystemError('EEXIST', path, 'mkdir')
    tree.place(found, Object.assign(tree.makeDirectory(undefined, bits), { uid, gid }), call.process, path)
  }
  return eachPath(call, options.operands, 'cannot create directory', path => {
    const whole = path.replace(/(?<=.)\/+$/, '')
    if (options.has('p')) {
      for (let at = whole.indexOf('/', 1); at > 0; at = whole.indexOf('/', at + 1)) {
        const above = whole.slice(0, at)
        if (!tree.lookup(above, call.process)) make(above, 0o777 & ~umask)
      }
      if (tree.lookup(whole, call.process)?.type === 'directory') return
    }
    make(whole, mode === undefined ? 0o777 & ~umask : Number.parseInt(mode, 8))
  })
}

const chown: Program = async call => {
  const options = readOptions(call.args, 'Rhfv')
  const [spec = '', ...paths] = options.operands
  const onlyGroup = call.name.endsWith('chgrp')
  const [user = '', group] = onlyGroup ? ['', spec] : spec.split(/[:.]/)
  const { accounts, tree } = call.system
  const uid = user === '' ? undefined : (accounts.find(it => it.name === user)?.uid ?? Number(user))
  const gid =
    group === undefined
      ? undefined
      : (accounts.find(it => it.group === group || it.name === group)?.gid ?? Number(group))
  if (Number.isNaN(uid)) return complain(call, `invalid user: '${spec}'`)
  return eachPath(call, paths, 'changing ownership of', path => {
    const change = (at: Bytes): void => {
      const node = tree.need(at, call.process, !options.has('h'))
      if (call.process.uid !== 0) throw new SystemError('EPERM', at, 'chown')
      if (uid !== undefined) node.uid = uid
      if (gid !== undefined && !Number.isNaN(gid)) node.gid = gid
      if (options.has('R') && node.type === 'directory')
        for (const name of node.entries.names(call.process)) change(`${at}/${name}`)
    }
    change(path)
  })
}

const truncate: Program = async call => {
  const options = readOptions(call.args, 'cs:', { size: 's' })
  const bytes = size(options.value('s') ?? '')
  if (Number.isNaN(bytes)) return complain(call, `Invalid number: '${options.value('s')}'`)
  return eachPath(call, options.operands, 'cannot open', path => {
    const file = openFor(call.system, call.process, path, { write: true, create: !options.has('c') })
    file.handle.truncate?.(bytes)
    file.release()
  })
}

/** A sandbox has no fifos and no device nodes to make. */
const refuse: Program = async call => {
  const [path = ''] = call.args.filter(arg => !arg.startsWith('-'))
  return complain(call, `cannot create fifo '${path}': Operation not permitted`)
}

const realpath: Program = async call => {
  const options = readOptions(call.args, 'emsqz')
  return eachPath(call, options.operands, '', path => {
    const found = call.system.tree.find(path, call.process)
    if (!found.node && options.has('e')) throw new SystemError('ENOENT', path)
    void writeTo(call.process, 1, `${found.path}\n`)
  })
}

/** Programs that change files. */
export const filePrograms: Readonly<Record<string, Program>> = {
  mktemp,
  mkdir,
  chown,
  chgrp: chown,
  truncate,
  mkfifo: refuse,
  mknod: refuse,
  realpath,
  sync: async () => 0,
}
