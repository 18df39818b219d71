import type { Mistake } from '../config/errors.js'

/** A file of a suite, or of the library that travels with it. */
export interface TextFile {
  /** As it is shown in a message. */
  readonly shown: string
  /** Relative to its folder, with `/`. */
  readonly path: string
  readonly content: Buffer
  /** The words of its `#!` line; empty for anything else. */
  readonly interpreter: readonly string[]
}

const shellNames = /^(?:sh|bash|dash|ash|ksh|ksh88|ksh93|mksh|oksh|pdksh|yash|zsh|busybox|posh)$/
const shellFiles = /\.(?:sh|bash|dash|ash|ksh|mksh|zsh)$/i
/** Scripts of Windows have the line ends of Windows. */
const windowsFiles = /\.(?:ps1|psm1|psd1|cmd|bat|vbs|js|wsf)$/i
const windowsInterpreters = /^(?:pwsh|powershell)(?:\.exe)?$/i
/** What a script reads into itself: `. FILE`, `source FILE`. */
const sourced = /(?:^|[\s;&|({!`])(?:\.|source)[ \t]+([^;&|\r\n]+)/gm
const elf = Buffer.from([0x7f, 0x45, 0x4c, 0x46])
/** Control characters that no text has: what follows is a payload behind a script. */
const binary = /[\u0000-\u0006\u000e-\u001a\u001c-\u001f]/

/**
 * Scripts that no POSIX shell reads as they were meant: with carriage returns, a byte order mark, or in UTF-16.
 * Looked at are the tests' own scripts, every file that is named or begins like a shell script, and what these read
 * into themselves.
 */
export function unreadableScripts(files: readonly TextFile[], scripts: ReadonlySet<string>): Mistake[] {
  const pending = files.filter(file => scripts.has(file.path) || isShellScript(file))
  const seen = new Set(pending)
  for (const file of pending) {
    for (const other of sourcedBy(file, files)) {
      if (!seen.has(other)) {
        seen.add(other)
        pending.push(other)
      }
    }
  }
  return pending.filter(file => !isForWindows(file)).flatMap(file => mistakeIn(file) ?? [])
}

function isShellScript({ path, interpreter }: TextFile): boolean {
  return shellFiles.test(path) || interpreterNames(interpreter).some(name => shellNames.test(name))
}

function isForWindows({ path, interpreter }: TextFile): boolean {
  return windowsFiles.test(path) || interpreterNames(interpreter).some(name => windowsInterpreters.test(name))
}

/** `/bin/sh` is `sh`; `/usr/bin/env -S bash -e` is also `bash`. */
function interpreterNames(words: readonly string[]): string[] {
  return words.filter(word => !word.startsWith('-')).map(word => word.slice(word.lastIndexOf('/') + 1))
}

/** The text as far as names in it are concerned, in whatever encoding it is. */
function plainText(content: Buffer): string {
  return content.toString('latin1').replace(/^(?:\u00ef\u00bb\u00bf|\u00ff\u00fe|\u00fe\u00ff)|\0/g, '')
}

/** Files of the same folder that a script names after `.` or `source`, whatever variable stands before the name. */
function sourcedBy({ content }: TextFile, files: readonly TextFile[]): readonly TextFile[] {
  const operands = [...plainText(content).matchAll(sourced)].map(
    ([, operand = '']) => `/${operand.replace(/["']/g, '')} `,
  )
  return files.filter(({ path }) => {
    const name = `/${path.slice(path.lastIndexOf('/') + 1)}`
    return operands.some(operand => /^[\s)`}]/.test(operand.split(name).slice(1).at(-1) ?? ''))
  })
}

/** The first thing in a script that a shell does not read as it was meant. */
function mistakeIn({ shown, path, content }: TextFile): Mistake | null {
  if (content.subarray(0, elf.length).equals(elf)) {
    return null
  }
  const at = (line: number, column: number, message: string): Mistake => ({
    place: { file: shown, line, column },
    message,
  })
  const wide = wideEncoding(content)
  if (wide !== null) {
    return at(
      1,
      1,
      `the script is in ${wide}, which no POSIX shell reads: save it as UTF-8 without a byte order mark, ` +
        `for example with: iconv -f ${wide} -t UTF-8 ${path} >new.sh`,
    )
  }
  const text = content.toString('latin1')
  if (text.startsWith('\u00ef\u00bb\u00bf')) {
    return at(
      1,
      1,
      'the script begins with a byte order mark, which a POSIX shell takes for part of the first command: ' +
        `save it as UTF-8 without one, for example with: sed -i '1s/^\\xEF\\xBB\\xBF//' ${path}`,
    )
  }
  const lines = text.slice(0, binary.exec(text)?.index ?? text.length).split('\n')
  const index = lines.findIndex(line => line.includes('\r'))
  if (index === -1) {
    return null
  }
  const column = (lines[index] ?? '').indexOf('\r') + 1
  return at(
    index + 1,
    column,
    'a carriage return (the line ends of Windows), which a POSIX shell takes for part of the command: save the ' +
      `script with LF line ends, for example with: sed -i 's/\\r$//' ${path}; where Git made them, add ` +
      '"*.sh text eol=lf" to .gitattributes; write a carriage return that is meant as printf \'\\r\'',
  )
}

/** UTF-16 and UTF-32, by byte order mark or, without one, by every other byte of the beginning. */
function wideEncoding(content: Buffer): string | null {
  const [first, second, third, fourth] = content
  if (first === 0xff && second === 0xfe) {
    return third === 0 && fourth === 0 ? 'UTF-32LE' : 'UTF-16LE'
  }
  if (first === 0xfe && second === 0xff) {
    return 'UTF-16BE'
  }
  if (first === 0 && second === 0 && third === 0xfe && fourth === 0xff) {
    return 'UTF-32BE'
  }
  const start = content.subarray(0, 64)
  const half = Math.floor(start.length / 2)
  const zeros = (from: 0 | 1): number => start.filter((byte, at) => at % 2 === from && byte === 0).length
  if (half < 2) {
    return null
  }
  // Characters beyond Latin-1 may stand there, too: most is enough, and a NUL is in no script.
  if (zeros(1) > half * 0.7 && zeros(0) === 0) {
    return 'UTF-16LE'
  }
  return zeros(0) > half * 0.7 && zeros(1) === 0 ? 'UTF-16BE' : null
}
