import { createHash } from 'node:crypto'
import { windowsTest } from 'guestcert/api'

const bytes = 2 * 1024 * 1024

/**
 * A file that does not repeat itself goes to the guest, is copied there, compared byte for byte by Windows, and both come
 * back. Its bytes are made of SHA-256 over a counter, so that a block in a wrong place differs.
 */
export default windowsTest(async ({ guest, expect }) => {
  const content = unique()
  const [first, second] = [`${guest.folder}\\verify-1.bin`, `${guest.folder}\\verify-2.bin`]
  await guest.writeBytes(first, content)
  const copied = await guest.run(`copy /b /y "${first}" "${second}"`)
  expect(copied.succeeded).toBe(true, 'the file is copied')
  const compared = await guest.run(`fc /b "${first}" "${second}"`)
  expect(compared.succeeded).toBe(true, 'Windows finds no difference between the file and its copy')
  const [one, two] = [await guest.readBytes(first), await guest.readBytes(second)]
  expect(Buffer.from(one).equals(content)).toBe(true, 'the file comes back as it was written')
  expect(Buffer.from(two).equals(content)).toBe(true, 'the copy comes back as it was written')
  const removed = await guest.run(`del "${first}" "${second}"`)
  expect(removed.succeeded).toBe(true, 'both are removed')
})

function unique(): Buffer {
  const blocks: Buffer[] = []
  for (let at = 0; at < bytes; at += 32) {
    blocks.push(createHash('sha256').update(`guestcert ${at}`).digest())
  }
  return Buffer.concat(blocks)
}
