import t from 'tap'
import { Volume } from './files.js'

const path = 'C:\\log.txt'

function textOf(volume: Volume): string {
  return volume.file(path).data.toString()
}

t.test('a file that is added to line by line keeps every line', async t => {
  const volume = new Volume(() => 0, undefined)
  const lines = Array.from({ length: 2_000 }, (_, index) => `line ${index}\r\n`)
  for (const line of lines) volume.write(path, Buffer.from(line), true)
  t.equal(textOf(volume), lines.join(''))
})

t.test('a copy keeps what it has, and both can be added to', async t => {
  const volume = new Volume(() => 0, undefined)
  volume.write(path, Buffer.from('a'))
  volume.write(path, Buffer.from('b'), true)
  const copy = volume.copy()
  volume.write(path, Buffer.from('c'), true)
  copy.write(path, Buffer.from('d'), true)
  volume.write(path, Buffer.from('e'), true)
  t.equal(textOf(volume), 'abce')
  t.equal(textOf(copy), 'abd')
})

t.test('a file that is written anew or into begins its room anew', async t => {
  const volume = new Volume(() => 0, undefined)
  volume.write(path, Buffer.from('abc'), true)
  volume.write(path, Buffer.from('def'), true)
  const copy = volume.copy()
  volume.writeAt(path, 1, Buffer.from('X'))
  volume.write(path, Buffer.from('g'), true)
  t.equal(textOf(volume), 'aXcdefg')
  volume.write(path, Buffer.from('new'))
  volume.write(path, Buffer.from('er'), true)
  t.equal(textOf(volume), 'newer')
  t.equal(textOf(copy), 'abcdef')
})
