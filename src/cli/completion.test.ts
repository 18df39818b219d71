import t from 'tap'
import { guestcert } from '../../test/cli-io.js'
import { commands } from './commands.js'

t.test('every shell knows every command, flag and choice', async t => {
  for (const shell of ['bash', 'zsh', 'fish']) {
    const { code, stdout } = await guestcert(['completion', shell])
    t.equal(code, 0)
    for (const { path, flags, arguments: positional } of commands) {
      for (const word of path) t.match(stdout, word)
      for (const { name } of flags) t.match(stdout, shell === 'fish' ? `-l ${name}` : `--${name}`)
      for (const { choices } of [...flags, ...positional]) {
        if (choices !== undefined) t.match(stdout, choices.join(' '))
      }
    }
  }
})

t.test('an unknown shell is refused with the known ones', async t => {
  t.match(await guestcert(['completion', 'powershell']), {
    code: 2,
    stderr: 'guestcert: SHELL must be bash, zsh or fish, not "powershell"\n',
  })
})
