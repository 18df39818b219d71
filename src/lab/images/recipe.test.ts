import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { imageFolderName, listRecipes, loadRecipe, type Recipe, recipeDigest } from './recipe.js'

const minimal = `
image: tiny
title: Tiny
release: bookworm
arch: amd64
kernel: linux-image-cloud-amd64
packages: [openssh-server]
size: 1GiB
bootedMark: up
kernelArguments: [rw]
hardware: { disk: [virtio-blk], nic: [virtio-net] }
files:
  /etc/a: a
  /etc/b: { content: b, mode: "0600" }
`

t.test('every recipe that ships can be read', async t => {
  t.ok((await listRecipes()).includes('debian'))
  for (const name of await listRecipes()) {
    const recipe = await loadRecipe(name)
    t.equal(recipe.name, name, `${name} is called as its file`)
    t.ok(recipe.packages.includes('openssh-server'))
  }
})

t.test('the Debian image lets nobody in by password', async t => {
  const { files } = await loadRecipe('debian')
  const sshd = files['/etc/ssh/sshd_config.d/guestcert.conf']?.content ?? ''
  t.match(sshd, /^PasswordAuthentication no$/m)
  t.match(sshd, /^KbdInteractiveAuthentication no$/m)
  t.match(sshd, /^PermitRootLogin prohibit-password$/m)
})

t.test('a recipe of your own, with its files', async t => {
  const folder = t.testdir({ 'tiny.yaml': minimal })
  const recipe = await loadRecipe(join(folder, 'tiny.yaml'))
  t.equal(recipe.sizeBytes, 2 ** 30)
  t.same(recipe.files, {
    '/etc/a': { content: 'a', mode: 0o644 },
    '/etc/b': { content: 'b', mode: 0o600 },
  })
})

t.test('one recipe extends another', async t => {
  const folder = t.testdir({
    'tiny.yaml': minimal,
    'more.yaml':
      'extends: tiny\nimage: more\npackages: [xen-utils]\nfiles: { /etc/a: other }\nkernelArguments: [quiet]\nhardware: { disk: [ide], nic: [e1000] }\n',
    'loop.yaml': 'extends: loop\nimage: loop\n',
  })
  const recipe = await loadRecipe(join(folder, 'more.yaml'))
  t.equal(recipe.name, 'more')
  t.equal(recipe.title, 'Tiny')
  t.same(recipe.packages, ['openssh-server', 'xen-utils'])
  t.same(recipe.kernelArguments, ['rw', 'quiet', 'no_timer_check'])
  t.same(recipe.hardware, { disk: ['virtio-blk', 'ide'], nic: ['virtio-net', 'e1000'] })
  t.equal(recipe.files['/etc/a']?.content, 'other')
  t.equal(recipe.files['/etc/b']?.content, 'b')
  await t.rejects(loadRecipe(join(folder, 'loop.yaml')), { message: /more than 4 recipes in a row/ })
})

t.test('mistakes have places', async t => {
  const folder = t.testdir()
  const fails = async (text: string, message: RegExp): Promise<void> => {
    const file = join(folder, 'bad.yaml')
    await writeFile(file, text)
    await t.rejects(loadRecipe(file), { name: 'ConfigError', message })
  }
  await fails(minimal.replace('arch: amd64', 'arch: s390x'), /bad\.yaml:5:7: arch: "s390x"/)
  await fails(minimal.replace('/etc/a:', '/etc/../a:'), /expected a path without "\.\."/)
  await fails(
    minimal.replace('[openssh-server]', '["openssh-server; rm"]'),
    /expected the name of a Debian package/,
  )
  await fails(`${minimal}masks: []\n`, /unknown key "masks": did you mean "mask"/)
  await fails(minimal.replace('release: bookworm', ''), /"release" is missing/)
  await t.rejects(loadRecipe('windows'), { name: 'UsageError', message: /known are .*debian/ })
})

t.test('the digest is of what the image becomes, not of how its recipe is written', async t => {
  const folder = t.testdir({ 'tiny.yaml': minimal })
  const recipe = await loadRecipe(join(folder, 'tiny.yaml'))
  const turned = Object.fromEntries(Object.entries(recipe).reverse()) as unknown as Recipe
  t.equal(recipeDigest(turned), recipeDigest(recipe))
  t.match(imageFolderName(recipe), /^tiny-[0-9a-f]{16}$/)
  for (const change of [
    { packages: [...recipe.packages, 'strace'] },
    { sizeBytes: 1 },
    { kernelArguments: ['ro'] },
    { files: { ...recipe.files, '/etc/b': { content: 'b', mode: 0o644 } } },
  ]) {
    t.not(recipeDigest({ ...recipe, ...change }), recipeDigest(recipe), JSON.stringify(change))
  }
})

t.test('an image that is a host holds guests, and is another when they are', async t => {
  const host = 'extends: tiny\nimage: host\nhypervisor: xen\nguests: [guest]\n'
  const folder = t.testdir({
    'tiny.yaml': minimal,
    'guest.yaml': 'extends: tiny\nimage: guest\n',
    'host.yaml': host,
    'nested.yaml': 'extends: tiny\nimage: nested\nguests: [host]\n',
    'gone.yaml': 'extends: tiny\nimage: gone\nguests: [nobody]\n',
  })
  const before = await loadRecipe(join(folder, 'host.yaml'))
  t.equal(before.hypervisor, 'xen')
  t.same(
    before.guests?.map(({ name }) => name),
    ['guest'],
  )
  await writeFile(join(folder, 'guest.yaml'), 'extends: tiny\nimage: guest\nsize: 2GiB\n')
  t.not(recipeDigest(await loadRecipe(join(folder, 'host.yaml'))), recipeDigest(before))
  await t.rejects(loadRecipe(join(folder, 'nested.yaml')), /"host" has guests itself/)
  await t.rejects(loadRecipe(join(folder, 'gone.yaml')))
})
