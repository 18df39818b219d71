import type { Program } from '../system/programs.js'
import { filter } from './filters.js'
import { complain } from './streams.js'

/** Kernels of products whose coreutils are older than 7.5, which brought `--reflink`. */
const withoutReflink = /^2\.6\.18-/

/** cp: how the blocks of files are shared or left out does not show in the emulated file tree. */
export function copyProgram(): Program {
  const copy = filter('cp')
  return async call => {
    const [reflink] = call.args.filter(arg => /^--reflink(?:=|$)/.test(arg))
    if (reflink !== undefined && withoutReflink.test(call.system.uname.release)) {
      return complain(call, `unrecognized option '${reflink}'`)
    }
    const args = call.args.filter(arg => !/^--(?:reflink|sparse)(?:=|$)/.test(arg))
    return copy({ ...call, args })
  }
}
