import { execFileSync } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { readSshConfig } from './ssh-config.js'

/** Each is read by ssh itself, and by us; Includes are absolute, as ssh looks for its home in the passwd file. */
const configs: Readonly<Record<string, string>> = {
  'keywords in any case, with and without =': 'HOST a\n  hostNAME=b.example\n pOrT = 2222\n\tUSER   me\n',
  quotes:
    'Host a\n  IdentityFile "/keys/with blank"\n IdentityFile \'/keys/single\'\n UserKnownHostsFile "/k/one x" /k/two # not this\n',
  'the first counts': 'Host a*\n  Port 1\nHost *\n  Port 2\n  User late\n',
  negation: 'Host * !a\n  User notme\nHost !b *\n  User me\n',
  'several patterns': 'Host x y? a\n  Port 77\n',
  tokens: 'Host a\n  HostName %h.lab.example\n  IdentityFile /keys/%h/%n/%p/%r/%%\n  User me\n',
  'Match host after HostName':
    'Host a\n HostName b.example\nMatch host b.example\n Port 99\nMatch host a\n User wrong\n',
  'Match originalhost and user':
    'Match originalhost a user root\n Port 9\nMatch user other originalhost a\n Port 10\nHost a\n User root\nMatch originalhost a user root\n Port 11\n',
  'Match final':
    'Match final host b.example\n  Port 4444\n  User final\nHost a\n  HostName b.example\n  User early\n',
  'Match final all': 'Match final all\n  ProxyJump gate\nHost a\n  HostName c.example\n',
  'Host in the final pass':
    'Match final\n  Port 23\nHost b.example\n  User second\nHost a\n  HostName b.example\n',
  'Match with ! and a list': 'Match !host z,y originalhost q,a\n  Port 12\n',
  'Match = form': 'Match host=a\n Port 13\n',
  jumps: 'Host a\n ProxyJump me@one:2022,two\n',
  'no jump': 'Host a\n ProxyJump none\nHost *\n ProxyJump gate\n',
  alias: 'Host a\n HostKeyAlias the-a\n',
  'several keys, each once': 'Host a\n IdentityFile /k/1\nHost *\n IdentityFile /k/2\n IdentityFile /k/1\n',
}

function viaSsh(file: string): Map<string, string[]> {
  const found = new Map<string, string[]>()
  for (const line of execFileSync('ssh', ['-G', '-F', file, 'a'], { encoding: 'utf8' }).split('\n')) {
    const [key = '', ...rest] = line.split(' ')
    found.set(key, [...(found.get(key) ?? []), rest.join(' ')])
  }
  return found
}

t.test('configurations mean to us what they mean to ssh', async t => {
  const files = Object.entries(configs)
  const folder = t.testdir(Object.fromEntries(files.map(([, text], index) => [`config-${index}`, text])))
  for (const [index, [what]] of files.entries()) {
    const file = join(folder, `config-${index}`)
    await compare(t, what, file)
  }
})

const shared = {
  one: 'Port 31\nHost b\n  User wrong\n',
  'x.conf': 'Host a\n User me\n',
  'y.conf': 'Match host a\n Port 5\n',
}

t.test('included files', async t => {
  const folder = t.testdir(shared)
  const configs = [
    `Include ${folder}/one\nHost a\n User mine\n`,
    `Host a\n Include ${folder}/*.conf\n User late\n`,
    `Host b\n Include ${folder}/one\nHost a\n Port 8\n`,
    `Include ${folder}/nothing ${folder}/x.conf\n`,
  ]
  for (const [index, text] of configs.entries()) {
    const file = join(folder, `config-${index}`)
    await writeFile(file, text)
    await compare(t, `include ${index}`, file)
  }
})

type Asserts = Pick<typeof t, 'equal' | 'same'>

async function compare(t: Asserts, what: string, file: string): Promise<void> {
  const ssh = viaSsh(file)
  const ours = (await readSshConfig(file, '/root')).defaultsFor('a')
  const local = execFileSync('id', ['-un'], { encoding: 'utf8' }).trim()
  t.equal(ours.hostName ?? 'a', ssh.get('hostname')?.[0], `${what}: HostName`)
  t.equal(String(ours.port ?? 22), ssh.get('port')?.[0], `${what}: Port`)
  t.equal(ours.user ?? local, ssh.get('user')?.[0], `${what}: User`)
  t.equal((ours.jumps ?? []).join(',') || undefined, ssh.get('proxyjump')?.[0], `${what}: ProxyJump`)
  t.equal(ours.hostKeyAlias, ssh.get('hostkeyalias')?.[0], `${what}: HostKeyAlias`)
  if (ours.identityFiles.length > 0) {
    const user = ssh.get('user')?.[0] ?? ''
    const tokens: Record<string, string> = {
      '%h': ssh.get('hostname')?.[0] ?? '',
      '%n': 'a',
      '%p': ssh.get('port')?.[0] ?? '',
      '%r': user,
      '%%': '%',
    }
    const theirs = (ssh.get('identityfile') ?? []).map(name =>
      name.replace(/%[hnpr%]/g, token => tokens[token] ?? ''),
    )
    t.same(ours.identityFiles, theirs, `${what}: IdentityFile`)
  }
  if (ours.knownHostsFiles !== undefined) {
    t.equal(ours.knownHostsFiles.join(' '), ssh.get('userknownhostsfile')?.[0], `${what}: UserKnownHostsFile`)
  }
}
