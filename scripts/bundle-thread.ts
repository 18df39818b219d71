/**
 * Makes one CommonJS file of the thread of test modules. Every attempt of a module begins by loading it, and Node takes
 * half as long again for a thread of many ES modules. Without it (after `tsc` alone) the ES modules are used.
 */
import { build } from 'esbuild'

const host = 'dist/src/engine/modules/host'

const { metafile } = await build({
  entryPoints: [`${host}/thread.js`],
  outfile: `${host}/thread.cjs`,
  bundle: true,
  platform: 'node',
  format: 'cjs',
  target: 'node20',
  logLevel: 'warning',
  metafile: true,
})
const foreign = Object.keys(metafile.inputs).find(path => path.includes('node_modules'))
if (foreign !== undefined) {
  throw new Error(`the thread of test modules would load a package each time: ${foreign}`)
}
