import { fitsPattern, resolvePath, sizeOf, splitPath, type WinNode } from '../../store/files.js'
import { hiveName, type RegistryKey } from '../../store/registry.js'
import { encode } from '../../text/code-pages.js'
import type { PowerShell } from '../runtime.js'
import { textOf } from '../text.js'
import { expanded, openKey, registryValue } from '../types/registry.js'
import { NetObject, PsDate, PsObject, type Value } from '../values.js'
import type { Cmdlet, CmdletCall } from './cmdlet.js'

/** A path of the registry provider as `HKLM\…`; undefined of other providers. */
function registryPath(path: string): string | undefined {
  const clean = path.replace(/^(?:Microsoft\.PowerShell\.Core\\)?Registry::/i, '')
  const drive = /^(HK\w+):\\?(.*)$/i.exec(clean)
  if (drive) return `${drive[1]}\\${drive[2] ?? ''}`.replace(/\\$/, '')
  return clean !== path && hiveName(clean.split('\\')[0] ?? '') !== undefined ? clean : undefined
}

function pathOf(call: CmdletCall): string {
  const [piped = null] = call.input
  return call.text('Path') ?? call.text('LiteralPath') ?? (call.piped ? textOf(piped) : '.')
}

function fileItem(node: WinNode, path: string, shell: PowerShell): NetObject {
  const date = (ms: number, utc: boolean): Value =>
    new PsDate(ms, utc ? 'Utc' : 'Local', shell.offsetMinutes(ms))
  const { folder } = splitPath(path)
  return new NetObject(node.type === 'folder' ? 'System.IO.DirectoryInfo' : 'System.IO.FileInfo', {
    get: {
      name: () => node.name,
      fullname: () => path,
      ...(node.type === 'file' ? { length: () => sizeOf(node), directoryname: () => folder } : {}),
      exists: () => true,
      extension: () => /\.[^.]*$/.exec(node.name)?.[0] ?? '',
      basename: () => node.name.replace(/\.[^.]*$/, ''),
      psiscontainer: () => node.type === 'folder',
      lastwritetime: () => date(node.modifiedMs, false),
      lastwritetimeutc: () => date(node.modifiedMs, true),
      creationtime: () => date(node.createdMs, false),
      ...(node.type === 'file'
        ? {
            versioninfo: () =>
              new NetObject('System.Diagnostics.FileVersionInfo', {
                get: {
                  fileversion: () => node.version ?? '',
                  productversion: () => node.version ?? '',
                  companyname: () => node.company ?? '',
                },
              }),
          }
        : {}),
    },
    text: () => path,
  })
}

function keyProperties(path: string, key: RegistryKey, call: CmdletCall, names: readonly string[]): PsObject {
  const wanted = names.length === 0 ? [...key.values.values()].map(it => it.name) : names
  const made = new PsObject('System.Management.Automation.PSCustomObject')
  for (const name of wanted) {
    const value = key.values.get(name.toLowerCase())
    if (value)
      made.set(
        value.name === '' ? '(default)' : value.name,
        registryValue(value, text => expanded(text, call)),
      )
  }
  made.set('PSPath', `Microsoft.PowerShell.Core\\Registry::${call.shell.call.system.registry.spell(path)}`)
  made.set('PSChildName', path.split('\\').at(-1) ?? '')
  return made
}

async function missingPath(call: CmdletCall, path: string): Promise<void> {
  await call.trouble({
    message: `Cannot find path '${path}' because it does not exist.`,
    type: 'System.Management.Automation.ItemNotFoundException',
    id: 'PathNotFound',
    category: 'ObjectNotFound',
    target: path,
  })
}

/** Cmdlets of the file system and the registry. */
export const contentCmdlets: readonly Cmdlet[] = [
  {
    name: 'Test-Path',
    parameters: 'Path LiteralPath= PathType= IsValid?',
    run: async call => {
      const path = pathOf(call)
      const { system, cwd } = call.shell.call
      const key = registryPath(path)
      const node = key === undefined ? system.files.find(resolvePath(cwd, path)) : undefined
      const type = call.text('PathType')
      const fits =
        node !== undefined &&
        (type === undefined ||
          /any/i.test(type) ||
          (/container/i.test(type) ? node.type === 'folder' : node.type === 'file'))
      await call.emit(key === undefined ? fits : system.registry.find(key) !== undefined)
    },
  },
  {
    name: 'Get-ItemProperty',
    parameters: 'Path Name LiteralPath=',
    run: async call => {
      const path = pathOf(call)
      const key = registryPath(path)
      if (key === undefined) {
        const full = resolvePath(call.shell.call.cwd, path)
        const node = call.shell.call.system.files.find(full)
        return node ? (call.emit(fileItem(node, full, call.shell)) as Promise<void>) : missingPath(call, full)
      }
      const found = call.shell.call.system.registry.find(key)
      if (!found) return missingPath(call, path)
      const names = call.list('Name').map(it => textOf(it))
      const absent = names.find(name => !found.values.has(name.toLowerCase()))
      if (absent !== undefined)
        return call.trouble({
          message: `Property ${absent} does not exist at path ${call.shell.call.system.registry.spell(key)}.`,
          type: 'System.Management.Automation.PSArgumentException',
          id: 'System.Management.Automation.PSArgumentException',
          category: 'InvalidArgument',
          target: absent,
        })
      await call.emit(keyProperties(key, found, call, names))
    },
  },
  {
    name: 'Set-ItemProperty',
    parameters: 'Path Name Value Type= Force? LiteralPath=',
    run: async call => {
      const key = registryPath(pathOf(call))
      const value = call.value('Value')
      if (key !== undefined)
        call.shell.call.system.registry.set(
          key,
          call.text('Name') ?? '',
          typeof value === 'number' ? 'REG_DWORD' : 'REG_SZ',
          typeof value === 'number' ? value >>> 0 : textOf(value),
        )
    },
  },
  {
    name: 'Get-Item',
    parameters: 'Path LiteralPath= Force?',
    run: async call => {
      const path = pathOf(call)
      const key = registryPath(path)
      const { system, cwd } = call.shell.call
      if (key !== undefined) {
        const found = system.registry.find(key)
        return found ? (call.emit(openKey(key, found, call)) as Promise<void>) : missingPath(call, path)
      }
      const full = resolvePath(cwd, path)
      const node = system.files.find(full)
      if (!node) return missingPath(call, full)
      await call.emit(fileItem(node, full, call.shell))
    },
  },
  {
    name: 'Get-ChildItem',
    parameters: 'Path Filter Recurse? Force? Name? LiteralPath= Include= Exclude= File? Directory?',
    run: async call => {
      const path = pathOf(call)
      const key = registryPath(path)
      const { system, cwd } = call.shell.call
      if (key !== undefined) {
        const found = system.registry.find(key)
        if (!found) return missingPath(call, path)
        for (const child of found.keys.values()) {
          const inner = openKey(`${key}\\${child.name}`, child, call)
          await call.emit(
            new NetObject(inner.typeName, {
              get: {
                ...inner.get,
                pschildname: () => child.name,
                pspath: () =>
                  `Microsoft.PowerShell.Core\\Registry::${system.registry.spell(`${key}\\${child.name}`)}`,
              },
              methods: inner.methods,
              text: inner.text,
            }),
          )
        }
        return
      }
      const full = resolvePath(cwd, path)
      const node = system.files.find(full)
      const folder = node?.type === 'folder' ? full : splitPath(full).folder
      const pattern = call.text('Filter') ?? (node?.type === 'folder' ? '*' : splitPath(full).name)
      if (!node && !/[*?]/.test(path)) return missingPath(call, full)
      const visit = async (at: string): Promise<void> => {
        for (const it of system.files.list(at)) {
          const kind =
            (!call.flag('File') || it.type === 'file') && (!call.flag('Directory') || it.type === 'folder')
          const itsPath = `${at.replace(/\\$/, '')}\\${it.name}`
          if (kind && fitsPattern(it.name, pattern))
            await call.emit(call.flag('Name') ? it.name : fileItem(it, itsPath, call.shell))
          if (it.type === 'folder' && call.flag('Recurse')) await visit(itsPath)
        }
      }
      await visit(folder)
    },
  },
  {
    name: 'New-Item',
    parameters: 'Path Name= ItemType= Value= Force?',
    run: async call => {
      const base = call.text('Path') ?? '.'
      const path = call.text('Name') === undefined ? base : `${base}\\${call.text('Name')}`
      const key = registryPath(path)
      const { system, cwd } = call.shell.call
      if (key !== undefined) {
        await call.emit(openKey(key, system.registry.make(key), call))
        return
      }
      const full = resolvePath(cwd, path)
      if (/dir/i.test(call.text('ItemType') ?? '')) system.files.folder(full, true)
      else system.files.write(full, encode(call.text('Value') ?? '', 1252))
      const node = system.files.find(full)
      if (node) await call.emit(fileItem(node, full, call.shell))
    },
  },
  {
    name: 'Remove-Item',
    parameters: 'Path Recurse? Force? LiteralPath=',
    run: async call => {
      const { system, cwd } = call.shell.call
      for (const it of call.piped ? call.input : [...call.list('Path'), ...call.list('LiteralPath')]) {
        const key = registryPath(textOf(it))
        const full = resolvePath(cwd, textOf(it))
        if (key !== undefined) system.registry.remove(key)
        else if (system.files.find(full)) system.files.remove(full)
        else await missingPath(call, full)
      }
    },
  },
  ...(['Set-Content', 'Add-Content'] as const).map(
    (name): Cmdlet => ({
      name,
      parameters: 'Path Value LiteralPath= Encoding= Force? NoNewline?',
      run: async call => {
        const { system, cwd } = call.shell.call
        const full = resolvePath(cwd, call.text('Path') ?? call.text('LiteralPath') ?? '')
        const values = call.piped ? call.input : call.list('Value')
        const encoding = (call.text('Encoding') ?? 'default').toLowerCase()
        const append = name === 'Add-Content' && system.files.find(full) !== undefined
        if (encoding === 'byte') {
          system.files.write(full, Buffer.from(values.map(Number)), append)
          return
        }
        const text = values.map(it => `${textOf(it)}${call.flag('NoNewline') ? '' : '\r\n'}`).join('')
        const mark = append
          ? Buffer.alloc(0)
          : encoding === 'utf8'
            ? Buffer.from([0xef, 0xbb, 0xbf])
            : encoding === 'unicode'
              ? Buffer.from([0xff, 0xfe])
              : Buffer.alloc(0)
        system.files.write(
          full,
          Buffer.concat([
            mark,
            encode(text, encoding === 'utf8' ? 65001 : encoding === 'unicode' ? 1200 : 1252),
          ]),
          append,
        )
      },
    }),
  ),
]
