import { createHash } from 'node:crypto'

/** With the longest ending of ours this stays below the 143 bytes that eCryptfs allows a name. */
const longestName = 110
const hashLength = 12

/** Device names of Windows, which also CIFS servers refuse, whatever follows their first dot. */
const reserved = /^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i

/** Identities have lower-case letters, and these units as they are written here. */
const unitOfSize = /\d[KMGT]iB/g
const unitInAnyCase = /\d[kmgt]ib/i

/**
 * A file name made of an identity, with `/` as `+`, which identities do not hold. Different identities give
 * different names, on file systems that ignore case too: a name that had to be changed ends in a hash of the
 * identity. No name leads out of its folder, begins with a dot, or is one that Windows reserves.
 */
export function fileNameOf(identity: string): string {
  const name = identity.replaceAll('/', '+').replace(/[^A-Za-z0-9._@+-]/g, '_')
  if (isPlain(name) && hasOneCase(name) && name.replaceAll('+', '/') === identity) {
    return name
  }
  const hash = createHash('sha256').update(identity).digest('hex').slice(0, hashLength)
  const start = name.replace(reserved, '_$&').replace(/^([^A-Za-z0-9]|$)/, '_')
  return `${start.slice(0, longestName - hashLength - 1)}-${hash}`
}

function isPlain(name: string): boolean {
  return (
    /^[A-Za-z0-9]/.test(name) && !name.endsWith('.') && !reserved.test(name) && name.length <= longestName
  )
}

/** No other identity of this kind differs from it in case alone. */
function hasOneCase(name: string): boolean {
  const rest = name.replace(unitOfSize, '0')
  return !/[A-Z]/.test(rest) && !unitInAnyCase.test(rest)
}
