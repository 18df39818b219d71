/** Loaded with `--import`: a file system that has neither links, fsync, owners nor modes, as CIFS and vfat may be. */
import files from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'

function refuse(code: string): () => Promise<never> {
  return () => Promise.reject(Object.assign(new Error(`${code}: not on this file system`), { code }))
}

const probe = await files.open(process.execPath)
Object.assign(Object.getPrototypeOf(probe), {
  datasync: refuse('EINVAL'),
  sync: refuse('EINVAL'),
  chmod: refuse('EPERM'),
  chown: refuse('EPERM'),
  utimes: refuse('EPERM'),
})
await probe.close()
const denied = ['symlink', 'link', 'chmod', 'lchmod', 'chown', 'lchown', 'utimes', 'lutimes']
Object.assign(files, Object.fromEntries(denied.map(name => [name, refuse('EPERM')])))
syncBuiltinESMExports()
