import { beginWord, endWord, type FrameWords, frameWords } from './frame.js'
import { quote, shellLine } from './quote.js'

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
  /** The lines of ours around its output. */
  readonly words: FrameWords
  /** What goes before the command's own standard input. */
  readonly stdinPrefix: Buffer | null
}

/** The name of the variable that marks our processes. */
export const markVariable = 'GUESTCERT_MARK'

/**
 * The same everywhere: C locale, UTC, and the system's own directories also for users who are not root. NixOS and Guix
 * have their programs elsewhere.
 */
const fixedEnvironment: Readonly<Record<string, string>> = {
  LC_ALL: 'C',
  LANG: 'C',
  TZ: 'UTC',
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/run/wrappers/bin:/run/current-system/sw/bin:/run/current-system/profile/bin',
}

/** Variables of the user's that change what standard programs do. LC_ALL=C makes LC_* and LANGUAGE void. */
const unwanted = 'BASH_ENV CDPATH COLUMNS ENV GREP_OPTIONS LS_COLORS POSIXLY_CORRECT TAPE TAR_OPTIONS TMPDIR'

const variableName = /^[A-Za-z_][A-Za-z0-9_]*$/

/**
 * Wraps a command: `/bin/sh` prints its pid on a line of ours, sets the environment, runs the command in a subshell and
 * prints its status on another line of ours. So the frame outlives an `exec` or an `exit` of the command, and costs no
 * more than one fork.
 */
export function wrap(
  command: string,
  env: Readonly<Record<string, string>>,
  { mark, sudo }: WrapSettings,
): Wrapped {
  const setting = settingText({
    ...fixedEnvironment,
    ...env,
    ...(mark === null ? {} : { [markVariable]: mark }),
  })
  if (sudo !== null) {
    return wrapSudo(command, setting, sudo)
  }
  const words = frameWords(['pid'])
  const lines = command.split('\n')
  const script = `echo ${words.nonce} $$;${setting};${framedScript(words, lines.length > 1)}`
  return { line: shellLine(script, lines), words, stdinPrefix: null }
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
 * What runs the command and prints the line behind its output. The command is `$1`, or one line of it in each argument,
 * since csh takes no line end in a word: they are joined by a line feed, the third of the characters of a fresh IFS.
 * The command is evaluated in a subshell, for it may be no whole script; it finds no arguments and no variable of ours.
 */
function framedScript(words: FrameWords, isSeveralLines: boolean): string {
  const join = isSeveralLines ? `gc_i=$IFS;IFS=\${IFS#??};set -- "$*";IFS=$gc_i;unset gc_i;` : ''
  return `${join}(eval "shift;$1");gc_s=$?;echo ${endWord(words)} $gc_s;exit $gc_s`
}

/**
 * With sudo the environment is set behind it, as sudo clears it. The password goes first on standard
 * input, for sudo alone: a line with the nonce follows, and all up to it is dropped by the shell
 * that sudo starts, whether sudo has read the password or asked for none. Only then a marked shell
 * begins, says that it did, and runs the command within its frame.
 */
function wrapSudo(command: string, setting: string, { password }: { readonly password?: string }): Wrapped {
  const words = frameWords(['pid', 'sudo'])
  const drop = `while read -r gc_x;do case $gc_x in ${words.nonce})break;;esac;done;unset gc_x;`
  const inner = `${password === undefined ? '' : drop}${setting};exec /bin/sh -c "$@"`
  const flags = password === undefined ? '-n' : "-S -p ''"
  const lines = command.split('\n')
  const framed = `echo ${beginWord(words, 'sudo')};${framedScript(words, lines.length > 1)}`
  const args = [inner, 'sh', framed, 'sh', ...lines].map(quote).join(' ')
  return {
    line: shellLine(`echo ${words.nonce} $$;exec sudo ${flags} -H /bin/sh -c ${args}`, []),
    words,
    stdinPrefix: password === undefined ? null : Buffer.from(`${password}\n${words.nonce}\n`, 'utf8'),
  }
}
