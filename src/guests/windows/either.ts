import type { WindowsMachine } from '../../remote/index.js'

/**
 * Asks PowerShell where the guest has one, else the older programs; those too when PowerShell turns out not to serve. A
 * question that PowerShell itself answered with an error is not asked again.
 */
export async function byEither<T>(
  machine: WindowsMachine,
  byPowerShell: () => Promise<T>,
  byPrograms: () => Promise<T>,
): Promise<T> {
  if (!machine.hasPowerShell) {
    return byPrograms()
  }
  try {
    return await byPowerShell()
  } catch (error) {
    if (machine.hasPowerShell || machine.lost.aborted) {
      throw error
    }
    return byPrograms()
  }
}
