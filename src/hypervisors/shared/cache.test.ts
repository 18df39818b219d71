import { homedir } from 'node:os'
import t from 'tap'
import { defaultCacheFolder, imagesFolder, instancesFolder } from './cache.js'

t.test('where the cache is', async t => {
  t.equal(defaultCacheFolder({ GUESTCERT_CACHE: '/c', XDG_CACHE_HOME: '/x' }), '/c')
  t.equal(defaultCacheFolder({ GUESTCERT_CACHE: '', XDG_CACHE_HOME: '/x' }), '/x/guestcert')
  t.equal(defaultCacheFolder({ XDG_CACHE_HOME: 'relative' }), `${homedir()}/.cache/guestcert`)
  t.equal(imagesFolder('/c'), '/c/images')
  t.equal(instancesFolder('/c'), '/c/qemu/instances')
})
