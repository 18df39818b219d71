import type { Call } from '../system/context.js'
import { decode } from '../text/code-pages.js'

/** What powershell.exe is asked to run. */
export type PowerShellCommand =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'input' }
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'problem'; readonly message: string }

const flags = ['nologo', 'noprofile', 'noninteractive', 'noexit', 'sta', 'mta']
const withValue = [
  'executionpolicy',
  'inputformat',
  'outputformat',
  'windowstyle',
  'version',
  'psconsolefile',
]
const notEncoded =
  'Cannot process the command because the value specified with -EncodedCommand is not properly encoded. The value must be Base64 encoded.'

/** Reads the command line. See about_PowerShell_exe. Options may be cut short; the first word that is none begins the command. */
export function readCommandLine({ args }: Pick<Call, 'args'>): PowerShellCommand {
  for (let at = 0; at < args.length; at++) {
    const word = args[at] ?? ''
    const rest = args.slice(at + 1)
    const option = /^[-/\u2013](\w+)$/.exec(word)?.[1]?.toLowerCase()
    if (option === undefined)
      return word === '-' ? { kind: 'input' } : { kind: 'text', text: args.slice(at).join(' ') }
    if (flags.some(name => name.startsWith(option))) continue
    if (withValue.some(name => name.startsWith(option))) at++
    else if ('encodedcommand'.startsWith(option) || option === 'ec') return decoded(rest[0] ?? '')
    else if ('file'.startsWith(option)) return { kind: 'file', path: rest[0] ?? '' }
    else if ('command'.startsWith(option))
      return rest.length === 1 && rest[0] === '-' ? { kind: 'input' } : { kind: 'text', text: rest.join(' ') }
    else return { kind: 'text', text: args.slice(at).join(' ') }
  }
  return { kind: 'input' }
}

function decoded(encoded: string): PowerShellCommand {
  const bytes = Buffer.from(encoded, 'base64')
  const isSound =
    /^[A-Za-z0-9+/]*={0,2}$/.test(encoded) &&
    encoded.replace(/=+$/, '').length % 4 !== 1 &&
    bytes.length % 2 === 0
  return isSound ? { kind: 'text', text: decode(bytes, 1200) } : { kind: 'problem', message: notEncoded }
}
