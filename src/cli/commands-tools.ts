import type { CommandSpec } from './spec.js'

const group = 'Tools'

/** Commands about guestcert itself. */
export const toolCommands: readonly CommandSpec[] = [
  {
    path: ['schema'],
    group,
    summary: 'Print the JSON Schema of a file, for editors',
    description: [
      'Prints the schema that files are validated against, in JSON Schema draft 2020-12. "output" is what --json prints: it has a property for each command.',
    ],
    arguments: [{ name: 'FILE', description: 'Which file', choices: ['lab', 'suite', 'summary', 'output'] }],
    flags: [],
    examples: [
      { line: 'guestcert schema lab > lab.schema.json', does: 'For "# yaml-language-server: $schema=…"' },
    ],
    prints: { kind: 'text', what: 'a JSON Schema' },
    exits: [0, 2, 4],
    module: 'schema',
  },
  {
    path: ['completion'],
    group,
    summary: 'Print a completion script for a shell',
    description: [],
    arguments: [{ name: 'SHELL', description: 'Which shell', choices: ['bash', 'zsh', 'fish'] }],
    flags: [],
    examples: [
      { line: 'source <(guestcert completion bash)', does: 'In ~/.bashrc' },
      { line: 'source <(guestcert completion zsh)', does: 'In ~/.zshrc, after compinit' },
      { line: 'guestcert completion fish | source', does: 'In ~/.config/fish/config.fish' },
    ],
    prints: { kind: 'text', what: 'a script' },
    exits: [0, 2, 4],
    module: 'completion',
  },
  {
    path: ['help'],
    group,
    summary: 'Explain a command',
    description: [],
    arguments: [{ name: 'COMMAND', description: 'Which command', optional: true, repeatable: true }],
    flags: [],
    examples: [{ line: 'guestcert help reports prune', does: 'The same as guestcert reports prune --help' }],
    prints: { kind: 'text', what: 'help' },
    exits: [0, 2, 4],
    module: 'help-command',
  },
]
