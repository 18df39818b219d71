/** One generation of a lease, as the host's file has it. */
interface Generation {
  readonly number: number
  readonly id: string
  readonly state: 'held' | 'released'
  readonly untilSec: number
  readonly ttlSec: number
  readonly renewal: number
  readonly lines: readonly string[]
}

/** The leases of a host, by name: they answer what the text `lease` prints. */
export class HostLeases {
  readonly #found = new Map<string, Generation>()

  ask(
    [what = '', name = '', me = '', ttl = '0', every = '0', mine = '0', about = '']: readonly string[],
    nowMs: number,
  ): string {
    const nowSec = Math.floor(nowMs / 1000)
    const top = this.#found.get(name)
    const word = wordOf(top, nowSec)
    const write = (number: number, state: Generation['state'], renewal: number): Generation => {
      const untilSec = nowSec + Number(ttl)
      const lines = [
        `state ${state}`,
        `id ${me}`,
        `until ${untilSec}`,
        `ttl ${ttl}`,
        `every ${every}`,
        `renewal ${renewal}`,
        ...about.split('\n'),
        'end',
      ]
      const made = { number, id: me, state, untilSec, ttlSec: Number(ttl), renewal, lines }
      this.#found.set(name, made)
      return made
    }
    const isOwn = top !== undefined && top.id === me && top.state === 'held'
    switch (what) {
      case 'take':
        if (isOwn) return say('taken', write(top.number, 'held', top.renewal + 1), nowSec)
        if (word === 'held' || (word === 'stale' && `${top?.number}.${top?.renewal}` !== mine)) {
          return say(word, top, nowSec)
        }
        return say('taken', write((top?.number ?? 0) + 1, 'held', 0), nowSec)
      case 'renew':
      case 'release':
        if (!isOwn || String(top.number) !== mine) return say('lost', top, nowSec)
        return what === 'renew'
          ? say('kept', write(top.number, 'held', top.renewal + 1), nowSec)
          : say('free', write(top.number, 'released', top.renewal + 1), nowSec)
      default:
        return say(word, top, nowSec)
    }
  }
}

function wordOf(top: Generation | undefined, nowSec: number): string {
  if (top === undefined || top.state === 'released') return 'free'
  return top.untilSec <= nowSec || top.untilSec - nowSec > top.ttlSec ? 'stale' : 'held'
}

function say(word: string, top: Generation | undefined, nowSec: number): string {
  return [`gc-lease ${word} ${top?.number ?? 0} ${nowSec}`, ...(top?.lines ?? []), '', 'gc-end'].join('\n')
}
