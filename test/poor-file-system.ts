/** Loaded with `--import`: a file system that has neither links nor fsync, as CIFS and vfat may be. */
import files from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'

function refuse(code: string): () => Promise<never> {
  return () => Promise.reject(Object.assign(new Error(`${code}: not on this file system`), { code }))
}

const probe = await files.open(process.execPath)
Object.assign(Object.getPrototypeOf(probe), { datasync: refuse('EINVAL'), sync: refuse('EINVAL') })
await probe.close()
Object.assign(files, { symlink: refuse('EPERM'), link: refuse('EPERM') })
syncBuiltinESMExports()
