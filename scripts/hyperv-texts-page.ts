import { hyperVTexts } from '../src/hypervisors/hyperv/texts/index.js'
import type { HostText } from '../src/hypervisors/hyperv/texts/text.js'
import { cscript } from '../src/hypervisors/hyperv/v1/ask.js'
import { library, main } from '../src/hypervisors/hyperv/v1/library.js'
import { scriptTexts } from '../src/hypervisors/hyperv/v1/script.js'

const made = '<!-- Made by scripts/generate-windows-commands.ts: change the code, not this page. -->'

/** `docs/hyperv-texts.md`, made of the texts that the driver sends to PowerShell. */
export function hyperVTextsPage(): string {
  return page([
    made,
    '# What is sent to Hyper-V hosts',
    'Every PowerShell text that the driver [hyperv](hyperv.md) sends, so that a person with a real Hyper-V can try each by hand: paste it between `&{` and `}`, with its arguments behind. It travels to one PowerShell a connection, as `HOST` in [windows-commands.md](windows-commands.md) has it; what it gives are hashtables with the columns named here.',
    ...hyperVTexts.map(text => sectionOf(text, 'powershell')),
  ])
}

/** `docs/hyperv-2008-texts.md`, made of the script that the driver carries to hosts of 2008 and 2008 R2. */
export function hyperV2008TextsPage(): string {
  return page([
    made,
    '# What is sent to Hyper-V hosts of 2008 and 2008 R2',
    'These versions have no Hyper-V module of PowerShell. The driver [hyperv](hyperv.md) writes one script into the system’s folder for temporary files, once a connection, and asks each question by one line:',
    `\`\`\`\n${cscript('{FILE}', 90)} {NONCE} {TEXT} .{ARGUMENT}…\n\`\`\``,
    'An argument has a dot before it, and `_` with four hexadecimal digits for each character that is no letter, digit, dot or dash. The script prints `gc {NONCE} row {JSON}` for each row and `gc {NONCE} end {ROWS}` behind them, or `gc {NONCE} error {JSON}` with `id`, `code` and `message`: `Return` with the value that a method returned, `Job` with the ErrorCode of a job that failed, `Script` with the number of an error of JScript, WMI or FileSystemObject in hexadecimal, or a word of ours. All is ASCII. Anything else is not understood, and is an error of the host. Jobs are waited for in the script: JobState 7 and 32768 are their good ends.',
    'The script is the library, a function for each text, and the main part: a person with a real host can put them into one file and try each text by hand.',
    `## Library\n\n\`\`\`js\n${library}\n\`\`\``,
    `## Main part\n\n\`\`\`js\n${main}\n\`\`\``,
    ...Object.values(scriptTexts).map(text => sectionOf(text, 'js')),
  ])
}

function sectionOf({ name, why, columns, text, sources }: HostText, language: string): string {
  return [
    `## ${name}`,
    why,
    `\`\`\`${language}\n${text}\n\`\`\``,
    `- Columns: ${columns.length === 0 ? 'none' : columns.join(', ')}`,
    `- Source: ${sources.join(' · ')}`,
  ].join('\n\n')
}

function page(sections: readonly string[]): string {
  return `${sections.join('\n\n')}\n`
}
