import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'
import t from 'tap'
import { seal } from './envelope/dsse.js'
import { statementAbout } from './ledger/entries.js'
import { readRecord } from './ledger/read.js'
import { sampleRecord } from './ledger/record.test.fixture.js'
import { signCheckpoint } from './log/checkpoint.js'

/** Go's own reading of signed notes, heads and proofs: packages sumdb/note and sumdb/tlog. */
const program = `package main

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type input struct {
	Key         string
	Checkpoint  string
	Entries     []string
	Proofs      [][]string
	FirstSize   int64
	FirstRoot   string
	Consistency []string
}

func must(err error) {
	if err != nil {
		fmt.Println("refused:", err)
		os.Exit(1)
	}
}

func hashOf(text string) tlog.Hash {
	hash, err := tlog.ParseHash(text)
	must(err)
	return hash
}

func hashes(texts []string) []tlog.Hash {
	found := []tlog.Hash{}
	for _, text := range texts {
		found = append(found, hashOf(text))
	}
	return found
}

func main() {
	var in input
	must(json.NewDecoder(os.Stdin).Decode(&in))
	verifier, err := note.NewVerifier(in.Key)
	must(err)
	opened, err := note.Open([]byte(in.Checkpoint), note.VerifierList(verifier))
	must(err)
	lines := strings.Split(opened.Text, "\\n")
	size, err := strconv.ParseInt(lines[1], 10, 64)
	must(err)
	root := hashOf(lines[2])
	for index, entry := range in.Entries {
		bytes, err := base64.StdEncoding.DecodeString(entry)
		must(err)
		must(tlog.CheckRecord(hashes(in.Proofs[index]), size, root, int64(index), tlog.RecordHash(bytes)))
	}
	must(tlog.CheckTree(hashes(in.Consistency), size, root, in.FirstSize, hashOf(in.FirstRoot)))
	fmt.Println("agreed:", lines[0], size, "entries")
}
`

const remark = (text: string) =>
  statementAbout('rejection', [], { at: '2026-11-22T10:00:00.000Z', why: text })

t.test('Go agrees on heads, inclusion and consistency', async t => {
  const record = await sampleRecord(t)
  for (let index = 0; index < 7; index += 1) await record.add('rejection', remark(`remark ${index}`), 'a')
  const { log, trust } = await readRecord(record.folder)
  const { tree, leaves } = log
  const first = 3
  const input = {
    key: trust.file.log.key,
    checkpoint: await readFile(join(record.folder, 'checkpoint'), 'utf8'),
    entries: leaves.map(({ bytes }) => bytes.toString('base64')),
    proofs: leaves.map((_, index) => tree.inclusion(index).map(hash => hash.toString('base64'))),
    firstSize: first,
    firstRoot: tree.root(first).toString('base64'),
    consistency: tree.consistency(first).map(hash => hash.toString('base64')),
  }
  const folder = t.testdir({ 'check.go': program })
  const binary = join(folder, 'check')
  // As Debian installs it, golang.org/x/mod is found below /usr/share/gocode.
  const env = { GO111MODULE: 'off', GOPATH: '/usr/share/gocode', GOCACHE: join(folder, 'cache'), GOFLAGS: '' }
  await execa('go', ['build', '-o', binary, join(folder, 'check.go')], { env })
  const ask = (value: unknown) => execa(binary, [], { input: JSON.stringify(value), reject: false })
  t.match(await ask(input), { exitCode: 0, stdout: 'agreed: example.org/record 7 entries' })
  const forged = generateKeyPairSync('ed25519').privateKey
  const origin = trust.file.log.origin
  const others = {
    'another key': {
      checkpoint: signCheckpoint({ origin, size: tree.size, root: tree.root() }, origin, forged),
    },
    'another entry': { entries: [Buffer.from('{}').toString('base64'), ...input.entries.slice(1)] },
    'another beginning': { firstRoot: tree.root(2).toString('base64') },
  }
  for (const [name, change] of Object.entries(others)) {
    t.match(await ask({ ...input, ...change }), { exitCode: 1, stdout: /^refused: / }, name)
  }
})

t.test('openssl agrees on signatures, by the steps of docs/record.md', async t => {
  const kinds: Readonly<Record<string, { readonly privateKey: KeyObject; readonly publicKey: KeyObject }>> = {
    ed25519: generateKeyPairSync('ed25519'),
    ecdsa: generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  }
  for (const [kind, { privateKey, publicKey }] of Object.entries(kinds)) {
    const folder = t.testdir()
    const path = join(folder, 'object.json')
    await writeFile(path, JSON.stringify(seal(remark('one'), privateKey)))
    await writeFile(join(folder, 'key.pem'), publicKey.export({ type: 'spki', format: 'pem' }))
    const verify =
      kind === 'ed25519'
        ? 'openssl pkeyutl -verify -pubin -inkey key.pem -rawin -in signed -sigfile signature'
        : 'openssl dgst -sha256 -verify key.pem -signature signature signed'
    const field = (expression: string): string =>
      `node -p 'JSON.parse(require("fs").readFileSync("object.json")).${expression}'`
    const steps = [
      `${field('payload')} | base64 -d > payload`,
      `{ printf 'DSSEv1 28 application/vnd.in-toto+json %d ' "$(wc -c < payload)"; cat payload; } > signed`,
      `${field('signatures[0].sig')} | base64 -d > signature`,
    ]
    const run = (text: string) => execa('bash', ['--norc', '-euc', text], { cwd: folder, reject: false })
    t.equal((await run(`${steps.join('\n')}\n${verify}`)).exitCode, 0, kind)
    t.not((await run(`printf x >> signed\n${verify}`)).exitCode, 0, `${kind}: other bytes`)
  }
})
