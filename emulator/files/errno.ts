/** What the C library says of each error number that the emulated system knows. */
const messages = {
  E2BIG: 'Argument list too long',
  EACCES: 'Permission denied',
  EAGAIN: 'Resource temporarily unavailable',
  EBADF: 'Bad file descriptor',
  EBUSY: 'Device or resource busy',
  EEXIST: 'File exists',
  EINVAL: 'Invalid argument',
  EIO: 'Input/output error',
  EISDIR: 'Is a directory',
  ELOOP: 'Too many levels of symbolic links',
  ENOENT: 'No such file or directory',
  ENOEXEC: 'Exec format error',
  ENODEV: 'No such device',
  ENOSPC: 'No space left on device',
  ENOSYS: 'Function not implemented',
  ENOTDIR: 'Not a directory',
  ENOTEMPTY: 'Directory not empty',
  ENXIO: 'No such device or address',
  EPERM: 'Operation not permitted',
  EPIPE: 'Broken pipe',
  EROFS: 'Read-only file system',
  ESPIPE: 'Illegal seek',
  ESRCH: 'No such process',
  EXDEV: 'Invalid cross-device link',
} as const

/** The error numbers that the emulated system knows, by name. */
export type ErrorCode = keyof typeof messages

/** A system call of the emulated guest failed. */
export class SystemError extends Error {
  readonly code: ErrorCode
  readonly path: string

  constructor(code: ErrorCode, path = '', call = 'open') {
    super(`${code}: ${messages[code].toLowerCase()}, ${call} '${path}'`)
    this.code = code
    this.path = path
  }

  /** What `strerror` says, e.g. `No such file or directory`. */
  get text(): string {
    return messages[this.code]
  }
}

/** What a program prints about an error: `strerror` where it is a system error. */
export function describe(error: unknown): string {
  if (error instanceof SystemError) return error.text
  return error instanceof Error ? error.message : String(error)
}
