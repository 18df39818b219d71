/** What dropbear calls itself (the software version of RFC 4253, 4.2), with its year and release where told. */
const dropbear = /^dropbear(?:_(\d+)\.(\d+))?/

/** Years and releases with the fault below, as numbers that can be compared. */
const firstFaulty = 2022.82
const lastFaulty = 2024.85

/**
 * Whether a server may end the whole connection when a channel is opened while the command of another one ends: it
 * takes the new channel's command for ended, refuses it, and fails its own assertion `!channel->sent_close` on what is
 * sent to it. Dropbear of 2022 to 2024 does (https://github.com/mkj/dropbear/issues/321, mended in pull request 326; the
 * same in issues 173 and 258). A dropbear that hides its version may be one of them.
 */
export function needsOneChannel(software: string): boolean {
  const match = dropbear.exec(software)
  if (match === null) {
    return false
  }
  const version = Number(`${match[1]}.${match[2]}`)
  return Number.isNaN(version) || (version >= firstFaulty && version <= lastFaulty)
}
