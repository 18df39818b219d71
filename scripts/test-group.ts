import { pathToFileURL } from 'node:url'
import t from 'tap'
import { groupMark } from './tap-report.js'

/**
 * Runs several test files one after the other in this process. They come in the environment, since tap names its
 * folders by the command line, which must differ from that of other groups and be short: `test-group.js NAME`.
 */
for (const file of JSON.parse(process.env.TEST_FILES ?? '[]') as string[]) {
  try {
    await import(pathToFileURL(file).href)
  } catch (error) {
    t.fail(`${file} cannot be loaded`, { error: error instanceof Error ? error.stack : String(error) })
  }
  // Tests of one level run in turn: when this one runs, those of the file have ended.
  await t.test(`${groupMark}${file}`, async t => t.pass())
}
