import { hyperVTexts } from '../src/hypervisors/hyperv/texts/index.js'

/** `docs/hyperv-texts.md`, made of the texts that the driver sends. */
export function hyperVTextsPage(): string {
  return `${[
    '<!-- Made by scripts/generate-windows-commands.ts: change the code, not this page. -->',
    '# What is sent to Hyper-V hosts',
    'Every PowerShell text that the driver [hyperv](hyperv.md) sends, so that a person with a real Hyper-V can try each by hand: paste it between `&{` and `}`, with its arguments behind. It travels to one PowerShell a connection, as `HOST` in [windows-commands.md](windows-commands.md) has it; what it gives are hashtables with the columns named here.',
    ...hyperVTexts.map(({ name, why, columns, text, sources }) =>
      [
        `## ${name}`,
        why,
        `\`\`\`powershell\n${text}\n\`\`\``,
        `- Columns: ${columns.length === 0 ? 'none' : columns.join(', ')}`,
        `- Source: ${sources.join(' · ')}`,
      ].join('\n\n'),
    ),
  ].join('\n\n')}\n`
}
