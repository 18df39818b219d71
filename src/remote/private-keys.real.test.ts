import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import ssh2 from 'ssh2'
import t from 'tap'
import { connect } from './connect.js'
import { fingerprint, makeKey, needProgram, startOpenSsh } from './openssh.test.fixture.js'
import { parsePrivateKey } from './private-keys.js'

/** Every format that ssh-keygen, openssl and puttygen write is read, or refused with the command that converts it. */
t.test('formats of private keys', async t => {
  needProgram('/usr/bin/puttygen', 'putty-tools')
  const folder = t.testdir()
  const word = 'the passphrase'
  for (const type of ['ed25519', 'ecdsa', 'rsa']) {
    const path = join(folder, type)
    makeKey(path, type)
    const wanted = publicOf(`${path}.pub`)
    const isSame = (file: string, passphrase?: string): boolean =>
      parsePrivateKey(readFileSync(file), passphrase, file).getPublicSSH().equals(wanted)
    t.ok(isSame(path), `${type}, OpenSSH`)
    if (type !== 'ed25519') {
      pem(path, `${path}.pem`, 'PEM', '')
      t.ok(isSame(`${path}.pem`), `${type}, PEM`)
      pem(path, `${path}.pkcs8`, 'PKCS8', '')
      pem(path, `${path}.pkcs8-locked`, 'PKCS8', word)
    } else {
      execFileSync('openssl', ['genpkey', '-algorithm', 'ed25519', '-out', `${path}.pkcs8`], {
        stdio: 'ignore',
      })
      const locked = [
        '-topk8',
        '-in',
        `${path}.pkcs8`,
        '-passout',
        `pass:${word}`,
        '-out',
        `${path}.pkcs8-locked`,
      ]
      execFileSync('openssl', ['pkcs8', ...locked])
    }
    const plain = parsePrivateKey(readFileSync(`${path}.pkcs8`), undefined, 'x')
    const locked = parsePrivateKey(readFileSync(`${path}.pkcs8-locked`), word, 'x')
    t.ok(plain.getPublicSSH().equals(locked.getPublicSSH()), `${type}, PKCS#8`)
    t.ok(type === 'ed25519' || isSame(`${path}.pkcs8`))
    const signed = plain.sign(Buffer.from('text'))
    t.ok(Buffer.isBuffer(signed) && locked.verify(Buffer.from('text'), signed))
    const read = (passphrase?: string) => () =>
      parsePrivateKey(readFileSync(`${path}.pkcs8-locked`), passphrase, 'x')
    t.throws(read(), { message: /is encrypted; name its passphrase/ })
    t.throws(read('another'), { message: /cannot be decrypted/ })

    const putty = `${path}.ppk`
    execFileSync('puttygen', [path, '-O', 'private', '--ppk-param', 'version=3', '-o', putty])
    t.throws(() => parsePrivateKey(readFileSync(putty), undefined, putty), {
      message: `convert it: puttygen ${putty} -O private-openssh -o ${path}.openssh`,
    })
    execFileSync('puttygen', [putty, '-O', 'private-openssh', '-o', `${path}.openssh`])
    t.ok(isSame(`${path}.openssh`), 'the command does convert it')
  }
})

t.test('one key of an agent, by fingerprint, comment and public key file', async t => {
  const server = await startOpenSsh(['MaxAuthTries 2', 'PubkeyAcceptedAlgorithms ssh-ed25519,rsa-sha2-512'])
  t.teardown(() => server.close())
  const folder = t.testdir()
  // The path of a socket may not be long.
  const socket = join(server.folder, 'agent')
  const agent = spawn('ssh-agent', ['-a', socket, 'sh', '-c', 'echo ready; exec cat'], {
    stdio: ['pipe', 'pipe', 'ignore'],
  })
  t.teardown(() => {
    agent.kill()
    agent.stdin.destroy()
    agent.stdout.destroy()
  })
  await once(agent.stdout, 'data')
  const environment = { SSH_AUTH_SOCK: socket }
  const add = (path: string): void => {
    execFileSync('ssh-add', ['-q', path], { env: { ...process.env, ...environment }, stdio: 'ignore' })
  }
  for (const name of ['a', 'b', 'c']) {
    makeKey(join(folder, name), 'ed25519')
    add(join(folder, name))
  }
  const right = join(folder, 'right')
  execFileSync('ssh-keygen', ['-q', '-t', 'rsa', '-N', '', '-C', 'lab key', '-f', right])
  add(right)
  execFileSync('sh', ['-c', 'cat "$1" >>"$2"', 'sh', `${right}.pub`, join(server.folder, 'authorized_keys')])
  const attempt = async (which?: string): Promise<string> => {
    const key = { kind: 'agent', ...(which === undefined ? {} : { which }) } as const
    try {
      const target = server.target({ login: server.login({ key }) })
      const machine = await connect(target, { environment, sshConfigPath: null, firstCommand: ':' })
      await machine.close()
      return 'in'
    } catch (error) {
      return error instanceof Error ? error.message : String(error)
    }
  }
  t.match(await attempt(), /refused the log-in|Too many authentication failures/, 'all keys are too many')
  t.equal(await attempt(fingerprint(right)), 'in')
  t.equal(await attempt('lab key'), 'in')
  t.equal(await attempt(`${right}.pub`), 'in')
  t.match(await attempt('no such key'), /the SSH agent has no key no such key: it holds SHA256:.*\(lab key\)/)
})

function publicOf(path: string): Buffer {
  const key = ssh2.utils.parseKey(readFileSync(path))
  if (key instanceof Error) {
    throw key
  }
  return key.getPublicSSH()
}

/** Writes the key anew in another format. */
function pem(from: string, to: string, format: string, passphrase: string): void {
  execFileSync('cp', [from, to])
  execFileSync('ssh-keygen', ['-q', '-p', '-m', format, '-P', '', '-N', passphrase, '-f', to])
}
