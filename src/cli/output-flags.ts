import { jsonFlag, quietFlag } from './flags.js'
import type { CommandSpec } from './spec.js'

/** A command with the flags that come with what it prints. */
export function withOutputFlags(command: CommandSpec): CommandSpec {
  const { prints, flags } = command
  switch (prints.kind) {
    case 'text':
      return command
    case 'events':
      return {
        ...command,
        flags: [
          ...flags,
          {
            ...jsonFlag,
            description: 'Print events as JSON, one a line; the same as --reporter json',
          },
          {
            ...quietFlag,
            description: 'Print failures and the summary only; the same as --reporter quiet',
          },
        ],
      }
    case 'result':
      return { ...command, flags: [...flags, jsonFlag, { ...quietFlag, description: prints.quiet }] }
  }
}
