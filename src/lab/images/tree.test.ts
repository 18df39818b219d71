import t from 'tap'
import { loadRecipe } from './recipe.js'
import { bootstrapArguments } from './tree.js'

const files = { early: "/c/it's early.tar", late: '/c/late.tar', tree: '/c/tree.tar' }

t.test('mmdebstrap is told the packages, the files and their order', async t => {
  const recipe = { ...(await loadRecipe('debian')), packages: ['a', 'b'], exclude: ['/usr/share/doc/*'] }
  const args = bootstrapArguments(recipe, files, undefined)
  t.ok(args.includes(`--include=${recipe.kernel},a,b`))
  t.ok(args.includes('--dpkgopt=path-exclude=/usr/share/doc/*'))
  t.ok(args.includes(`--essential-hook=tar-in '/c/it'\\''s early.tar' /`))
  const removed = args.findIndex(arg => arg.includes('rm -f'))
  const late = args.findIndex(arg => arg.includes('late.tar'))
  t.ok(removed !== -1 && removed < late, 'the packages’ own host keys go before ours come')
  t.same(args.slice(-2), ['bookworm', '/c/tree.tar'])
  t.same(bootstrapArguments(recipe, files, 'file:///mirror').slice(-1), ['file:///mirror'])
})
