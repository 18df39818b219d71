import { SystemError } from '../files/errno.js'
import { absolute } from '../files/tree.js'
import type { Program } from '../system/programs.js'
import { writeTo } from './io.js'
import { readOptions } from './options.js'

/** readlink: where a link points; with `-f` a path without any links, of which the last part need not be there. */
export const readlink: Program = async ({ system, process, args }) => {
  const options = readOptions(args, 'fn', { canonicalize: 'f', 'no-newline': 'n' })
  let isWell = options.operands.length > 0
  for (const operand of options.operands) {
    try {
      const path = absolute(process.cwd, operand)
      const isWhole = options.has('f')
      const { node, path: whole } = system.tree.find(path, process, isWhole)
      if (!isWhole && node?.type !== 'link') throw new SystemError('EINVAL', path, 'readlink')
      const text =
        isWhole || node?.type !== 'link'
          ? whole
          : typeof node.target === 'string'
            ? node.target
            : node.target(process)
      await writeTo(process, 1, options.has('n') ? text : `${text}\n`)
    } catch (error) {
      if (!(error instanceof SystemError)) throw error
      isWell = false
    }
  }
  return isWell ? 0 : 1
}
