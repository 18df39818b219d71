import { openCheckpoint } from './checkpoint.js'
import type { VerifierKey } from './note-keys.js'
import { rootFromInclusion, type Tree } from './tree.js'

const header = 'c2sp.org/tlog-proof@v1'

/** What proves that a leaf stands in a log (C2SP tlog-proof): its index, its audit path and a signed head. */
export function inclusionProof(tree: Tree, index: number, checkpoint: string): string {
  const hashes = tree.inclusion(index).map(hash => `${hash.toString('base64')}\n`)
  return `${header}\nindex ${index}\n${hashes.join('')}\n${checkpoint}`
}

/** Whether such a proof holds for a leaf, by the log's key alone. */
export function verifyProof(proof: string, leaf: Buffer, log: VerifierKey, origin: string): boolean {
  const [head = '', ...rest] = proof.split('\n\n')
  const [first, indexLine = '', ...lines] = head.split('\n')
  const index = /^index (0|[1-9]\d*)$/.exec(indexLine)?.[1]
  const checkpoint = openCheckpoint(rest.join('\n\n'), log, origin)
  if (first !== header || index === undefined || checkpoint === null) return false
  const hashes = lines.map(line => Buffer.from(line, 'base64'))
  const root = rootFromInclusion({ leaf, index: Number(index), size: checkpoint.size, proof: hashes })
  return root?.equals(checkpoint.root) === true
}
