import { access } from 'node:fs/promises'
import { join } from 'node:path'
import { InfraError } from '../../config/errors.js'
import { runTool, type ToolOptions } from '../shared/tool.js'
import type { UefiFiles } from './arguments.js'

/** Where Debian's package ovmf puts UEFI's code and its empty variables, newer sizes first. */
const firmwareFolder = '/usr/share/OVMF'
const firmwareFiles = [
  { code: 'OVMF_CODE_4M.fd', variables: 'OVMF_VARS_4M.fd' },
  { code: 'OVMF_CODE.fd', variables: 'OVMF_VARS.fd' },
] as const

/** Gives an instance UEFI with variables of its own; as qcow2, for raw files have no snapshots. */
export async function prepareUefi(folder: string, options: ToolOptions): Promise<UefiFiles> {
  for (const { code, variables } of firmwareFiles) {
    const codePath = join(firmwareFolder, code)
    const template = join(firmwareFolder, variables)
    if ((await isThere(codePath)) && (await isThere(template))) {
      const own = join(folder, 'variables.qcow2')
      await runTool('qemu-img', ['convert', '-f', 'raw', '-O', 'qcow2', template, own], options)
      return { code: codePath, variables: own }
    }
  }
  const message = `${options.where}: firmware uefi needs OVMF, which is not installed: apt-get install ovmf`
  throw new InfraError(message, { cause: 'host', where: options.where, code: 'driver' })
}

function isThere(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  )
}
