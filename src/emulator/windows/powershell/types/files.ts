import { FileError, resolvePath } from '../../store/files.js'
import { decodeMarked, encode } from '../../text/code-pages.js'
import { methodFailure } from '../errors.js'
import type { Frame } from '../runtime.js'
import { textOf } from '../text.js'
import { itemsOf, nothing, type Value } from '../values.js'
import { bytesOf, encodingPage } from './encodings.js'
import type { Statics } from './statics.js'

const full = (path: Value, { shell }: Frame): string => resolvePath(shell.call.cwd, textOf(path))

/** What .NET says of a file that cannot be had. */
function guarded(
  method: string,
  work: (args: readonly Value[], frame: Frame) => Value,
): (args: readonly Value[], frame: Frame) => Value {
  return (args, frame) => {
    try {
      return work(args, frame)
    } catch (error) {
      if (!(error instanceof FileError)) throw error
      const text =
        error.trouble === 'denied'
          ? `Access to the path '${error.path}' is denied.`
          : error.trouble === 'path-not-found'
            ? `Could not find a part of the path '${error.path}'.`
            : `Could not find file '${error.path}'.`
      throw methodFailure(
        method,
        args.length,
        text,
        error.trouble === 'denied'
          ? 'System.UnauthorizedAccessException'
          : error.trouble === 'path-not-found'
            ? 'System.IO.DirectoryNotFoundException'
            : 'System.IO.FileNotFoundException',
      )
    }
  }
}

/** Text in an encoding, with its mark where the encoding has one. */
function encoded(text: string, encoding: Value | undefined): Buffer {
  const page = encoding === undefined ? 65001 : (encodingPage(encoding) ?? 65001)
  const marked =
    encoding !== undefined &&
    (page === 1200 ||
      (page === 65001 &&
        textOf(encoding) !== '' &&
        (encoding as { inner?: { preamble?: boolean } }).inner?.preamble !== false))
  const body = encode(text, page === 20127 ? 1252 : page)
  return marked
    ? Buffer.concat([page === 1200 ? Buffer.from([0xff, 0xfe]) : Buffer.from([0xef, 0xbb, 0xbf]), body])
    : body
}

const file: Statics = {
  exists: ([path = null], frame) => frame.shell.call.system.files.find(full(path, frame))?.type === 'file',
  readallbytes: guarded('ReadAllBytes', ([path = null], frame) =>
    Buffer.from(frame.shell.call.system.files.file(full(path, frame)).data),
  ),
  readalltext: guarded('ReadAllText', ([path = null, encoding], frame) =>
    decodeMarked(
      frame.shell.call.system.files.file(full(path, frame)).data,
      encoding === undefined ? 65001 : (encodingPage(encoding) ?? 65001),
    ),
  ),
  readalllines: guarded('ReadAllLines', ([path = null], frame) => {
    const lines = decodeMarked(frame.shell.call.system.files.file(full(path, frame)).data, 65001).split(
      /\r?\n/,
    )
    if (lines.at(-1) === '') lines.pop()
    return lines
  }),
  writeallbytes: guarded('WriteAllBytes', ([path = null, bytes = null], frame) => {
    frame.shell.call.system.files.write(full(path, frame), bytesOf(bytes))
    return nothing
  }),
  writealltext: guarded('WriteAllText', ([path = null, text = null, encoding], frame) => {
    frame.shell.call.system.files.write(full(path, frame), encoded(textOf(text), encoding))
    return nothing
  }),
  writealllines: guarded('WriteAllLines', ([path = null, lines = null, encoding], frame) => {
    frame.shell.call.system.files.write(
      full(path, frame),
      encoded(
        itemsOf(lines)
          .map(it => `${textOf(it)}\r\n`)
          .join(''),
        encoding,
      ),
    )
    return nothing
  }),
  appendalltext: guarded('AppendAllText', ([path = null, text = null], frame) => {
    frame.shell.call.system.files.write(full(path, frame), encode(textOf(text), 65001), true)
    return nothing
  }),
  delete: guarded('Delete', ([path = null], frame) => {
    const { files } = frame.shell.call.system
    if (files.find(full(path, frame))) files.remove(full(path, frame))
    return nothing
  }),
  copy: guarded('Copy', ([from = null, to = null], frame) => {
    const { files } = frame.shell.call.system
    files.write(full(to, frame), files.file(full(from, frame)).data)
    return nothing
  }),
}

const path: Statics = {
  combine: args => args.map(it => textOf(it).replace(/\\$/, '')).join('\\'),
  getfilename: ([it = null]) => textOf(it).split(/[\\/]/).at(-1) ?? '',
  getfilenamewithoutextension: ([it = null]) =>
    (textOf(it).split(/[\\/]/).at(-1) ?? '').replace(/\.[^.]*$/, ''),
  getextension: ([it = null]) => /\.[^.\\]*$/.exec(textOf(it))?.[0] ?? '',
  getdirectoryname: ([it = null]) => textOf(it).replace(/\\[^\\]*$/, ''),
  gettemppath: (_, { shell }) => `${shell.call.env.get('TEMP') ?? 'C:\\Windows\\Temp'}\\`,
  gettempfilename: (_, { shell }) => {
    const name = `${shell.call.env.get('TEMP') ?? 'C:\\Windows\\Temp'}\\tmp${Math.floor(
      Math.random() * 65_536,
    )
      .toString(16)
      .toUpperCase()}.tmp`
    shell.call.system.files.write(name, Buffer.alloc(0))
    return name
  },
  getfullpath: ([it = null], frame) => full(it, frame),
}

const directory: Statics = {
  exists: ([it = null], frame) => frame.shell.call.system.files.find(full(it, frame))?.type === 'folder',
  createdirectory: ([it = null], frame) => {
    frame.shell.call.system.files.folder(full(it, frame), true)
    return full(it, frame)
  },
  delete: ([it = null], frame) => {
    frame.shell.call.system.files.remove(full(it, frame))
    return nothing
  },
  getfiles: ([it = null], frame) =>
    frame.shell.call.system.files
      .list(full(it, frame))
      .filter(node => node.type === 'file')
      .map(node => `${full(it, frame)}\\${node.name}`),
}

/** Statics of System.IO. */
export const fileStatics: Readonly<Record<string, Statics>> = {
  'system.io.file': file,
  'system.io.path': path,
  'system.io.directory': directory,
}
