import { createReadStream } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import t from 'tap'
import { extract } from 'tar-stream'
import { type Layer, writeLayer } from './layer.js'

const layer: Layer = {
  files: { '/etc/ssh/key': { content: 'secret\n', mode: 0o600 }, '/etc/empty': { content: '', mode: 0o644 } },
  links: { '/etc/systemd/system/fstrim.timer': '/dev/null' },
  folders: { '/root/.ssh': 0o700 },
}

t.test('a layer is an archive of root’s files, equal for equal layers', async t => {
  const folder = t.testdir()
  const [one, two] = [join(folder, 'one.tar'), join(folder, 'two.tar')]
  await writeLayer(one, layer)
  await writeLayer(two, layer)
  t.ok((await readFile(one)).equals(await readFile(two)))
  const entries: object[] = []
  const contents: string[] = []
  const reader = createReadStream(one).pipe(extract())
  for await (const entry of reader) {
    entries.push(entry.header)
    contents.push(await text(entry))
  }
  t.match(entries, [
    { name: './root/.ssh/', type: 'directory', mode: 0o700, uid: 0 },
    { name: './etc/ssh/key', type: 'file', mode: 0o600, uid: 0 },
    { name: './etc/empty', type: 'file', mode: 0o644, uid: 0 },
    { name: './etc/systemd/system/fstrim.timer', type: 'symlink', linkname: '/dev/null', uid: 0 },
  ])
  t.same(contents, ['', 'secret\n', '', ''])
})
