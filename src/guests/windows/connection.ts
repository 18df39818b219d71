import { type ConnectOptions, openWindows } from '../../remote/index.js'

/** How to connect to a Windows guest: its shells are probed before anything else. */
export function windowsConnection(mark: string): ConnectOptions {
  return { mark, become: (ssh, { signal }) => openWindows(ssh, { mark, signal }) }
}
