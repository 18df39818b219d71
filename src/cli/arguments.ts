import type { ArgumentSpec } from './spec.js'

/** The heading in help of commands that plan and execute runs and read their results. */
export const validateGroup = 'Validate'

/** The lab that a command is about. */
export const labArgument: ArgumentSpec = {
  name: 'LAB',
  description: 'The lab file, e.g. lab.yaml',
  completes: 'file',
}

/** The run that a command is about. */
export const runArgument: ArgumentSpec = {
  name: 'RUN',
  description: 'A run by its name, its folder, or "latest"',
  completes: 'run',
}
