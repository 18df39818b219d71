import { commandText } from './catalog.js'

/** What a guest has, and what it says that it is. */
export interface Tools {
  readonly certutil: boolean
  readonly cscript: boolean
  readonly reg: boolean
  readonly taskkill: boolean
  readonly wevtutil: boolean
  readonly wmic: boolean
  readonly powershell: boolean
}

/** What one look at a guest tells. */
export interface Look {
  readonly tools: Tools
  readonly codePage: number
  /** `6.1.7601`, as `ver` prints it. */
  readonly version: string
  /** `5.1.17763.1`; `null` where there is none of 2.0 or later. */
  readonly powershell: string | null
}

/** The line that looks: programs, code page and version at once. */
export const lookLine: string = [
  commandText('tools'),
  commandText('code-page'),
  commandText('version'),
  commandText('powershell-version'),
].join('&')

/** Reads what {@link lookLine} printed; `null` when it is not that. The words around the numbers are in any language. */
export function parseLook(text: string): Look | null {
  const [, tools, codePage, version, powershell] =
    /\bgc-tools\b([\s\S]*?)\bgc-chcp\b([\s\S]*?)\bgc-ver\b([\s\S]*?)\bgc-ps\b([\s\S]*)/.exec(text) ?? []
  const page = /(\d{1,5})\D*$/.exec(codePage?.trim() ?? '')?.[1]
  const numbers = /(\d+\.\d+\.\d{3,5}(?:\.\d+)?)/.exec(version ?? '')?.[1]
  if (tools === undefined || page === undefined || numbers === undefined) {
    return null
  }
  const has = (name: string): boolean => new RegExp(`gc-has \\S*${name}\\.exe`, 'i').test(tools)
  return {
    tools: {
      certutil: has('certutil'),
      cscript: has('cscript'),
      reg: has('reg'),
      taskkill: has('taskkill'),
      wevtutil: has('wevtutil'),
      wmic: has('wmic'),
      powershell: has('powershell'),
    },
    codePage: Number(page),
    version: numbers,
    powershell: has('powershell') ? newestPowerShell(powershell ?? '') : null,
  }
}

function newestPowerShell(text: string): string | null {
  const versions = [...text.matchAll(/PowerShellVersion\s+REG_SZ\s+(\d+\.\d[\d.]*)/g)].map(
    ([, number = '']) => number,
  )
  return versions.find(version => Number.parseFloat(version) >= 2) ?? null
}
