import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import t from 'tap'
import { packageRoot } from '../config/package-root.js'
import type { Driver } from './driver.js'
import { lazyDriver } from './lazy-driver.js'
import type { OpenRequest } from './module.js'
import { staticModule } from './static/module.js'

t.test('the code of a driver is loaded once, and it cannot be opened before', async t => {
  let imports = 0
  const driver = { name: 'lazy' } as Driver
  const module = lazyDriver(staticModule, {
    import: async () => {
      imports += 1
      return { driver }
    },
    open: code => code.driver,
  })
  const request = {} as OpenRequest
  t.throws(() => module.open(request), /opened before its code was loaded/)
  await module.load?.()
  await module.load?.()
  t.equal(module.open(request), driver)
  t.equal(imports, 1)
})

t.test('the list of drivers loads the code of none', t => {
  const registry = join(packageRoot, 'dist/src/hypervisors/registry.js')
  const hook = `export async function load(url, context, next) {
    if (/hypervisors\\/[a-z]+\\/driver\\.js$/.test(url)) console.log('loaded ' + url)
    return next(url, context)
  }`
  const script = `import { register } from 'node:module'
register('data:text/javascript,' + encodeURIComponent(${JSON.stringify(hook)}))
const { builtinDrivers } = await import(${JSON.stringify(registry)})
await builtinDrivers.find(({ name }) => name === 'xl').load()`
  const said = execFileSync(process.execPath, ['--input-type=module', '--eval', script], { encoding: 'utf8' })
  t.match(said.trim(), /^loaded \S+hypervisors\/xl\/driver\.js$/)
  t.end()
})
