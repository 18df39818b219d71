/** What bounds a record. Times in ms, sizes in bytes. */
export const recordLimits = {
  /** Waiting for another program that writes to the same record. */
  lock: 30_000,
  /** How old an empty lock file is before it counts as left by a program that was stopped. */
  emptyLock: 5_000,
  /** The longest file that is read for a record: an envelope, a journal, a JUnit report to import. */
  file: 268_435_456,
}
