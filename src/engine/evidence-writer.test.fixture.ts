/** `node evidence-writer.test.fixture.js PATH BYTES`: says whether so many bytes could be written as evidence. */
import { dirname } from 'node:path'
import { EvidenceFile } from './evidence.js'

const [, , path = '', bytes = '0'] = process.argv
// Otherwise the signal that comes with a file that is too large ends the process.
process.on('SIGXFSZ', () => {})
const file = new EvidenceFile({ root: dirname(path), path, limitBytes: Number(bytes) })
try {
  await file.write(Buffer.alloc(Number(bytes), 'x'))
} catch {
  // The end says it, too.
}
await file.close().then(
  evidence => process.stdout.write(`written: ${JSON.stringify(evidence)}\n`),
  (error: unknown) => process.stdout.write(`rejected: ${error instanceof Error ? error.message : error}\n`),
)
