import { randomBytes } from 'node:crypto'
import { joinLines, quote, shellLine } from './quote.js'

/** What every command on a machine has in common. */
export interface WrapSettings {
  /** Marks each process of ours; `null` for none. */
  readonly mark: string | null
  readonly sudo: { readonly password?: string } | null
}

/** One command made ready to be sent. */
export interface Wrapped {
  /** What the login shell is given. */
  readonly line: string
  /** The word before the pid on the first line of standard output. */
  readonly nonce: string
  /** The word on the line that says that sudo has let the command through; `null` without sudo. */
  readonly sudoNonce: string | null
  /** What goes before the command's own standard input. */
  readonly stdinPrefix: Buffer | null
}

/** The name of the variable that marks our processes. */
export const markVariable = 'GUESTCERT_MARK'

/** The same everywhere: C locale, UTC, and the system's own directories also for users who are not root. */
const fixedEnvironment: Readonly<Record<string, string>> = {
  LC_ALL: 'C',
  LANG: 'C',
  TZ: 'UTC',
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
}

/** Variables of the user's that change what standard programs do. LC_ALL=C makes LC_* and LANGUAGE void. */
const unwanted = 'BASH_ENV CDPATH COLUMNS ENV GREP_OPTIONS LS_COLORS POSIXLY_CORRECT TAPE TAR_OPTIONS TMPDIR'

const variableName = /^[A-Za-z_][A-Za-z0-9_]*$/

/**
 * Wraps a command: `/bin/sh` says its pid on a line of its own, sets the environment and runs the
 * command in the same process, so that nothing is added to it but one exec of the shell.
 */
export function wrap(
  command: string,
  env: Readonly<Record<string, string>>,
  { mark, sudo }: WrapSettings,
): Wrapped {
  const nonce = `gc${randomBytes(8).toString('hex')}`
  const setting = settingText({
    ...fixedEnvironment,
    ...env,
    ...(mark === null ? {} : { [markVariable]: mark }),
  })
  if (sudo === null) {
    const start = `echo ${nonce} $$;${setting};`
    return { line: shellLine(start + command), nonce, sudoNonce: null, stdinPrefix: null }
  }
  return wrapSudo(command, setting, nonce, sudo)
}

/** Whether a name can be a variable of a shell. */
export function isVariableName(name: string): boolean {
  return variableName.test(name)
}

function settingText(variables: Readonly<Record<string, string>>): string {
  const names = Object.keys(variables)
  const assignments = names.map(name => `${name}=${quote(variables[name] ?? '')}`)
  return `unset ${unwanted};${assignments.join(' ')};export ${names.join(' ')}`
}

/**
 * With sudo the environment is set behind it, as sudo clears it. The password goes first on standard
 * input, for sudo alone: a line with the nonce follows, and all up to it is dropped by the shell
 * that sudo starts, whether sudo has read the password or asked for none. Only then a marked shell
 * begins, and says that it did.
 */
function wrapSudo(
  command: string,
  setting: string,
  nonce: string,
  { password }: { readonly password?: string },
): Wrapped {
  const sudoNonce = `${nonce}s`
  const drop = `while read -r gc_x;do case $gc_x in ${nonce})break;;esac;done;unset gc_x;`
  const inner = `${password === undefined ? '' : drop}${setting};${joinLines}`
  const flags = password === undefined ? '-n' : "-S -p ''"
  const words = [inner, 'sh', `echo ${sudoNonce}`, ...command.split('\n')].map(quote).join(' ')
  return {
    line: shellLine(`echo ${nonce} $$;exec sudo ${flags} -H /bin/sh -c ${words}`),
    nonce,
    sudoNonce,
    stdinPrefix: password === undefined ? null : Buffer.from(`${password}\n${nonce}\n`, 'utf8'),
  }
}
