import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { defaultHostLimits } from '../src/config/host-limits.js'
import { defaultLimits, limitsThatCount } from '../src/config/limits.js'
import { packageRoot } from '../src/config/package-root.js'
import { formatSize } from '../src/config/units.js'
import { recordLimits } from '../src/record/limits.js'

/** `docs/limits.md`: what each limit is for stands beside it in the code. */
export async function limitsPage(): Promise<string> {
  const [guests, hosts, records] = await Promise.all([
    table('src/config/limits.ts', { ...defaultLimits }),
    table('src/config/host-limits.ts', defaultHostLimits),
    table('src/record/limits.ts', recordLimits),
  ])
  return `# Limits

Every wait and bound has a name, stands in the messages of what it ended, and can be set. Durations are written as
\`250ms\`, \`30s\`, \`5m\` or \`2h\`, sizes as \`16MiB\`. This page is made from the code.

## Of a run

\`\`\`yaml
defaults:
  limits: { boot: 15m, command: 2m }
\`\`\`

${guests}

## Of a host

What its driver waits for. \`tcp\`, \`handshake\`, \`authentication\` and \`firstCommand\` are those of \`defaults.limits\`
where a host does not say its own. The values are those that drivers begin with; \`qemu\` and \`xl\` begin with others
where their hosts are nearer or slower, and so do hosts that \`guestcert lab up\` boots in software emulation.

\`\`\`yaml
hosts:
  kvm-1:
    limits: { start: 5m, shutdown: 2m }
\`\`\`

${hosts}

## Of a record

These are fixed.

${records}
`
}

/** The sentence before each name in a source file, and its value. */
async function table(file: string, values: Readonly<Record<string, number>>): Promise<string> {
  const source = await readFile(join(packageRoot, file), 'utf8')
  const rows = Object.entries(values).map(([name, value]) => {
    const [, what] = new RegExp(`/\\*\\* ([^\\n]+) \\*/\\n  (?:readonly )?${name}:`).exec(source) ?? []
    if (what === undefined) {
      throw new Error(`${file} does not say what "${name}" is`)
    }
    return `| \`${name}\` | ${shown(name, value)} | ${what} |`
  })
  return ['| limit | unless set | what |', '|---|---|---|', ...rows].join('\n')
}

function shown(name: string, value: number): string {
  if (limitsThatCount.has(name)) {
    return String(value)
  }
  return value >= 2 ** 20 && value % 2 ** 20 === 0 ? formatSize(value) : inWords(value)
}

function inWords(ms: number): string {
  const [unit, size] = (
    [
      ['h', 3_600_000],
      ['m', 60_000],
      ['s', 1_000],
    ] as const
  ).find(([, ms_]) => ms % ms_ === 0) ?? ['ms', 1]
  return `${ms / size}${unit}`
}
