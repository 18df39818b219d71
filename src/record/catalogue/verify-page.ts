import type { Record } from '../ledger/read.js'

/** `VERIFY.md`: how to verify a bundle, with guestcert and without. */
export function verifyPage(record: Record, isRedacted: boolean): string {
  const { log } = record.trust.file
  const redacted = isRedacted
    ? `## This copy is redacted

Journals and plans are left out, as they hold names of the lab. So the verdicts in the statements cannot be folded again
from what was seen: they are their signers' word. Signatures, the log and the JUnit reports can be verified as below.

`
    : ''
  return `# How to verify this bundle

The record of ${record.config.party}: ${record.log.tree.size} entries of the log \`${log.origin}\`, whose key is

    ${log.key}

Compare that key, and those in \`record/trust.yaml\`, with what their owners publish: whoever made this bundle could have
made other keys as well.

${redacted}## With guestcert

    guestcert record verify --record record
    guestcert record verify --record record --head HEAD    # with a head that you remember, or got from somebody else
    guestcert record status --record record

## Without guestcert

1. \`sha256sum -c SHA256SUMS\`: every file is as it was exported.
2. \`record/checkpoint\` is a signed note (C2SP signed-note, tlog-checkpoint). Go's \`golang.org/x/mod/sumdb/note\` opens it
   with the key above; \`sumdb/tlog\` checks tiles and proofs.
3. \`proofs/LEAF.tlog-proof\` (C2SP tlog-proof) proves that the entry of that leaf hash stands in the log: the leaf hash is
   SHA-256 over a zero byte and the entry (RFC 6962).
4. An entry names a statement by the SHA-256 of its payload: \`record/objects/AB/ABCD….json\`, a DSSE envelope over an
   in-toto statement. To check its signature with openssl, with the PEM of its key from \`record/trust.yaml\` as key.pem:

       jq -r .payload OBJECT | base64 -d > payload
       { printf 'DSSEv1 28 application/vnd.in-toto+json %d ' "$(wc -c < payload)"; cat payload; } > signed
       jq -r '.signatures[0].sig' OBJECT | base64 -d > signature
       openssl pkeyutl -verify -pubin -inkey key.pem -rawin -in signed -sigfile signature   # Ed25519
       openssl dgst -sha256 -verify key.pem -signature signature signed                     # ECDSA P-256

What a bundle cannot show by itself is that it is the newest, and that nobody else was shown another one: for that, keep
a head, or compare heads with others.
`
}
