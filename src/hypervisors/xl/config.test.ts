import t from 'tap'
import { parseConfig, writeConfig } from './config.js'

// Written after the examples of xl.cfg(5), and of xm's in RHEL 5's virtualization guide.
const written = `# a PV guest
name = "debian"     # its name
type = 'pv'
memory = 256; vcpus=2
disk = [ 'file:/img/a.img,xvda,w',
         "format=raw,vdev=xvdb,access=ro,target=/img/b,c.img", ]
vif = [ "mac=00:16:3E:00:00:10,bridge=xenbr0" ]
extra = "root=/dev/xvda console='hvc0'"
`

t.test('strings, numbers and lists are read, comments are not', async t => {
  const config = parseConfig(written)
  t.equal(config.get('name'), 'debian')
  t.equal(config.get('memory'), 256)
  t.equal(config.get('vcpus'), 2)
  t.same(config.get('disk'), ['file:/img/a.img,xvda,w', 'format=raw,vdev=xvdb,access=ro,target=/img/b,c.img'])
  t.equal(config.get('extra'), "root=/dev/xvda console='hvc0'")
})

t.test('what is written is read as the same', async t => {
  const config = parseConfig(written)
  t.same([...parseConfig(writeConfig(config))], [...config])
})

t.test('what is not a configuration is refused', async t => {
  for (const text of [
    'name',
    'name = ',
    'x = [ "a"',
    'x = [ 1 ]',
    'import os',
    'x = f("a")',
    'x = "a',
    '= 3',
    'x = {}',
  ]) {
    t.throws(() => parseConfig(text), { name: 'UnknownConfig' }, text)
  }
})

t.test('a text that no string can hold is refused', async t => {
  t.throws(() => writeConfig(new Map([['x', `a"b'c`]])), /no way to write/)
  t.throws(() => writeConfig(new Map([['x', 'a\nb = 1']])), /no way to write/)
})
