import { HostRefusal, type HostRow } from '../powershell/host-texts.js'
import { type Call, print } from '../system/context.js'

/** Runs the script that guestcert carries to hosts without PowerShell: it prints what the script prints. */
export async function runHostScript(call: Call, args: readonly string[]): Promise<number> {
  const [nonce = '', name = '', ...given] = args
  const say = (text: string): Promise<void> => print(call, `gc ${nonce} ${text}\r\n`)
  try {
    const script = call.system.hostTexts?.script
    const rows = (await script?.carryOut(name, given.map(unescaped), ms => call.process.sleep(ms))) ?? []
    for (const row of rows) await say(`row ${object(row)}`)
    await say(`end ${rows.length}`)
  } catch (error) {
    if (!(error instanceof HostRefusal)) throw error
    await say(`error ${object({ id: error.id, code: error.hresult, message: error.message })}`)
  }
  return 0
}

/** As JScript's `unescape` reads it, once `_` is `%u`. */
function unescaped(text: string): string {
  return text
    .slice(1)
    .replace(/_([0-9a-f]{4})/gi, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)))
}

function object(row: HostRow): string {
  return `{${Object.entries(row)
    .map(([key, value]) => `${quoted(key)}:${cell(value)}`)
    .join(',')}}`
}

function cell(value: HostRow[string]): string {
  if (value === null) return 'null'
  return Array.isArray(value) ? `[${value.map(one => quoted(String(one))).join(',')}]` : quoted(String(value))
}

/** In ASCII, as the script has it. */
function quoted(text: string): string {
  return `"${text.replace(/[^ !#-[\]-~]/g, char => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)}"`
}
