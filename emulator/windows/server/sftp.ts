import ssh2, { type Attributes, type SFTPWrapper } from 'ssh2'
import { FileError, resolvePath, sizeOf, type WinNode } from '../store/files.js'
import type { WindowsSystem } from '../system/system.js'

const { STATUS_CODE, OPEN_MODE } = ssh2.utils.sftp
const folderMode = 0o040_777
const fileMode = 0o100_666

type Handle =
  | { readonly path: string; readonly kind: 'file'; readonly flags: number }
  | { readonly path: string; readonly kind: 'folder'; listed: boolean }

/** Serves the files of a guest over SFTP 3, as Microsoft's sftp-server does: `/C:/Users` is `C:\Users`. */
export function serveSftp(system: WindowsSystem, user: string, sftp: SFTPWrapper): void {
  const home = system.accounts.find(it => it.name.toLowerCase() === user.toLowerCase())?.profile ?? 'C:\\'
  const handles = new Map<number, Handle>()
  let last = 0
  const { files } = system
  const real = (path: string): string => resolvePath(home, path.replace(/^\/(?=[a-z]:)/i, ''))
  const shown = (path: string): string => `/${path.replaceAll('\\', '/')}`
  const open = (handle: Handle): Buffer => {
    handles.set(++last, handle)
    const id = Buffer.alloc(4)
    id.writeUInt32BE(last)
    return id
  }
  const find = (id: Buffer): Handle | undefined =>
    id.length === 4 ? handles.get(id.readUInt32BE()) : undefined
  /** Does it, and tells what went wrong in SFTP's words. */
  const guarded = (request: number, work: () => void): void => {
    try {
      work()
    } catch (error) {
      if (!(error instanceof FileError)) throw error
      sftp.status(
        request,
        error.trouble === 'denied' ? STATUS_CODE.PERMISSION_DENIED : STATUS_CODE.NO_SUCH_FILE,
      )
    }
  }
  const done = (request: number): void => sftp.status(request, STATUS_CODE.OK)
  const need = (path: string): WinNode => {
    const node = files.find(path)
    if (!node) throw new FileError('file-not-found', path)
    return node
  }
  sftp.on('error', () => {})
  sftp.on('REALPATH', (request, path) => {
    const full = shown(real(path === '.' ? '' : path))
    sftp.name(request, [{ filename: full, longname: full, attrs: attributes(files.root) }])
  })
  const stat = (request: number, path: string): void =>
    guarded(request, () => sftp.attrs(request, attributes(need(real(path)))))
  sftp.on('STAT', stat)
  sftp.on('LSTAT', stat)
  sftp.on('FSTAT', (request, id) =>
    guarded(request, () => sftp.attrs(request, attributes(need(find(id)?.path ?? '')))),
  )
  sftp.on('SETSTAT', done)
  sftp.on('FSETSTAT', done)
  sftp.on('OPEN', (request, name, flags) =>
    guarded(request, () => {
      const path = real(name)
      const node = files.find(path)
      if (!node && !(flags & OPEN_MODE.CREAT)) throw new FileError('file-not-found', path)
      if (!node || flags & OPEN_MODE.TRUNC) files.write(path, Buffer.alloc(0))
      sftp.handle(request, open({ kind: 'file', path, flags }))
    }),
  )
  sftp.on('READ', (request, id, offset, length) =>
    guarded(request, () => {
      const file = files.file(find(id)?.path ?? '')
      const part = file.data.subarray(offset, offset + length)
      if (part.length === 0) sftp.status(request, STATUS_CODE.EOF)
      else sftp.data(request, part)
    }),
  )
  sftp.on('WRITE', (request, id, offset, data) =>
    guarded(request, () => {
      const path = find(id)?.path ?? ''
      files.writeAt(path, offset, data)
      done(request)
    }),
  )
  sftp.on('CLOSE', (request, id) => {
    handles.delete(id.length === 4 ? id.readUInt32BE() : 0)
    done(request)
  })
  sftp.on('OPENDIR', (request, name) =>
    guarded(request, () => {
      files.list(real(name))
      sftp.handle(request, open({ kind: 'folder', path: real(name), listed: false }))
    }),
  )
  sftp.on('READDIR', (request, id) =>
    guarded(request, () => {
      const handle = find(id)
      if (handle?.kind !== 'folder' || handle.listed) return sftp.status(request, STATUS_CODE.EOF)
      handle.listed = true
      sftp.name(
        request,
        files
          .list(handle.path)
          .map(node => ({ filename: node.name, longname: node.name, attrs: attributes(node) })),
      )
    }),
  )
  sftp.on('REMOVE', (request, name) =>
    guarded(request, () => {
      files.remove(real(name))
      done(request)
    }),
  )
  sftp.on('RMDIR', (request, name) =>
    guarded(request, () => {
      files.remove(real(name))
      done(request)
    }),
  )
  sftp.on('MKDIR', (request, name) =>
    guarded(request, () => {
      files.folder(real(name), true)
      done(request)
    }),
  )
  sftp.on('RENAME', (request, from, to) =>
    guarded(request, () => {
      files.write(real(to), files.file(real(from)).data)
      files.remove(real(from))
      done(request)
    }),
  )
}

function attributes(node: WinNode): Attributes {
  const seconds = Math.floor(node.modifiedMs / 1000)
  return {
    mode: node.type === 'folder' ? folderMode : fileMode,
    uid: 0,
    gid: 0,
    size: node.type === 'folder' ? 0 : sizeOf(node),
    atime: seconds,
    mtime: seconds,
  }
}
