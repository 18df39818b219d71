/** What bounds a record. Times in ms, sizes in bytes. */
export const recordLimits = {
  /** Waiting for another program that writes to the same record. */
  lock: 30_000,
  /** The longest file that is read for a record: an envelope, a journal, a JUnit report to import. */
  file: 268_435_456,
}
