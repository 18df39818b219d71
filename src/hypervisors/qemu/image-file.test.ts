import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { guestcert } from '../../../test/cli-io.js'
import { describeNoDisk, imageMistakes } from './image-file.js'

const recipe = 'image: debian\ntitle: Debian\nrelease: bookworm\npackages: [dbus]\n'
const disk = Buffer.concat([Buffer.alloc(510), Buffer.from([0x55, 0xaa]), Buffer.alloc(4096)])

const refused: readonly [what: string, content: Buffer | string, expected: RegExp][] = [
  [
    'a recipe',
    `# Our image\n${recipe}`,
    /^a recipe, not an image: build it with "guestcert lab build .*", and write "image: debian"$/,
  ],
  ['a long recipe', recipe.repeat(200), /^a recipe/],
  ['a text', 'hello\n'.repeat(1000), /^a text file, not a disk: expected the name of an image/],
  ['a short text', 'hello\n', /^too small for a disk/],
  ['a text in UTF-8', 'größer\n'.repeat(1000), /^a text file/],
  ['a page that says there is none', `<html>${'404 Not Found '.repeat(500)}</html>`, /^a text file/],
  ['nothing', '', /^an empty file/],
  ['a disk of VMware', Buffer.concat([Buffer.from('KDMV'), disk]), /^a VMDK disk: convert it with: qemu-img/],
  ['a disk of Hyper-V', Buffer.concat([Buffer.from('vhdxfile'), disk]), /^a VHDX disk: convert/],
  [
    'an archive',
    Buffer.concat([Buffer.from([0xfd]), Buffer.from('7zXZ\0'), disk]),
    /^an xz archive: unpack it first/,
  ],
]

t.test('a file that is not a disk is told by its content, and what to write is said', async t => {
  const folder = t.testdir({})
  for (const [index, [what, content, expected]] of refused.entries()) {
    const path = join(folder, `${index}.qcow2`)
    await writeFile(path, content)
    t.match(describeNoDisk(path), expected, what)
  }
})

t.test('disks, folders of images and files that are not there are left alone', async t => {
  const folder = t.testdir({})
  const paths = { raw: disk, qcow2: Buffer.concat([Buffer.from([0x51, 0x46, 0x49, 0xfb]), disk]) }
  for (const [name, content] of Object.entries(paths)) {
    await writeFile(join(folder, name), content)
    t.equal(describeNoDisk(join(folder, name)), null, name)
  }
  await mkdir(join(folder, 'image'))
  t.equal(describeNoDisk(join(folder, 'image')), null, 'a folder')
  t.equal(describeNoDisk(join(folder, 'missing')), null, 'nothing there')
  const clean = undefined
  t.same(imageMistakes({ image: 'debian', clean, folder }), [], 'a name')
  t.match(imageMistakes({ image: 'debian.qcow2', clean, folder }), [
    /is the name of a file: write "\.\/debian\.qcow2"/,
  ])
})

t.test(
  'a lab with such an image is refused with exit code 2 and its place, before anything boots',
  async t => {
    const cwd = t.testdir({})
    await writeFile(join(cwd, 'debian.yaml'), recipe)
    const lab = (image: string): string => `lab: small
hosts:
  here: { product: qemu, version: "7.2", driver: qemu, capacity: { guests: 1 } }
guests:
  g:
    product: debian
    version: "12"
    arch: x86_64
    on:
      here: { image: ${image}, configuration: { vcpus: 1, memory: 1GiB } }
suites: [builtin]
`
    for (const image of ['./debian.yaml', 'debian.yaml', join(cwd, 'debian.yaml')]) {
      await writeFile(join(cwd, 'lab.yaml'), lab(image))
      for (const command of ['run', 'plan']) {
        const { code, stderr } = await guestcert([command, 'lab.yaml'], { cwd })
        t.equal(code, 2, `${command} ${image}`)
        t.match(
          stderr,
          /lab\.yaml:10:\d+: image: .*debian\.yaml is a recipe, not an image: .*write "image: debian"/,
        )
      }
    }
  },
)
