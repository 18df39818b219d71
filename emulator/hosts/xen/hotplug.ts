import { digest, disksOf, macOf, nicsOf } from '../domain.js'
import { type Vm, xmlOf } from '../vm.js'
import { make } from '../xml.js'
import { hotplugFailed, missingBridge, missingDisk } from './create.js'
import { cardNumber, cardXml, diskNumber, diskXml, readCard, readDisk, SpecMistake } from './devices.js'
import { Ended, find, first, noType, say, tell, type Verb } from './session.js'

const cannotAdd = 'libxl: error: libxl_device.c:1486:device_addrm_aocomplete: unable to add device'

/** What the front and the back end of a device have come to: 4 when they are connected. */
function stateOf({ running }: Vm): number {
  return running?.guest?.state === 'running' ? 4 : 1
}

const blockList: Verb = {
  flags: 'vtT',
  words: '<Domain(s)>',
  does: 'List virtual block devices for a domain',
  least: 1,
  run: async session => {
    await say(session, 'Vdev  BE  handle state evt-ch ring-ref BE-path                       \n')
    for (const word of session.words) {
      const found = (() => {
        try {
          return find(session.host, word, '')
        } catch (error) {
          if (error instanceof Ended) return error
          throw error
        }
      })()
      // Here alone a name that is none's is no failure.
      if (found instanceof Ended) await tell(session, found.lines)
      else if (found.vm) await say(session, blockRows(found.id, found.vm))
    }
    return 0
  },
}

function blockRows(id: number, vm: Vm): string {
  const state = stateOf(vm)
  return disksOf(xmlOf(vm))
    .map(({ target }, place) => {
      const number = diskNumber(target) ?? 0
      const [event, ring] = state === 4 ? [8 + 3 * place, 8 + place] : [-1, -1]
      const columns = [
        [String(number), 5],
        ['0', 3],
        [String(id), 6],
        [String(state), 5],
        [String(event), 6],
        [String(ring), 8],
      ] as const
      const start = columns.map(([value, width]) => value.padEnd(width)).join(' ')
      return `${start} ${`/local/domain/0/backend/vbd/${id}/${number}`.padEnd(30)}\n`
    })
    .join('')
}

const blockAttach: Verb = {
  flags: 'vtTfN',
  words: '<Domain> <disk-spec-component(s)>...',
  does: 'Create a new virtual block device',
  least: 2,
  run: session => {
    const { host, words } = session
    const { id, vm } = find(host, words[0] ?? '', '')
    const disk = (() => {
      try {
        return readDisk(words.slice(1).join(','), 'command line')
      } catch (error) {
        throw error instanceof SpecMistake ? new Ended([error.message]) : error
      }
    })()
    const failed = (why: string): Ended => new Ended([why, cannotAdd, 'libxl_device_disk_add failed.'])
    if (!vm) throw failed(noType(id))
    const missing = missingDisk(host, disk)
    if (missing !== undefined) throw failed(missing)
    const number = diskNumber(disk.vdev)
    if (number === undefined) {
      throw failed(
        `libxl: error: libxl_disk.c:214:libxl__device_from_disk: Domain ${id}:Invalid or unsupported virtual disk identifier ${disk.vdev}`,
      )
    }
    if (disksOf(xmlOf(vm)).some(({ target }) => diskNumber(target) === number)) {
      throw failed(
        `libxl: error: libxl_disk.c:343:device_disk_add: Domain ${id}:device already exists in xenstore`,
      )
    }
    const xml = diskXml(disk)
    xml.children.push(make('added'))
    host.hypervisor.attach(vm, xml, live)
    return 0
  },
}

const blockDetach: Verb = {
  flags: 'vtTf',
  words: '[option] <Domain> <DevId>',
  does: "Destroy a domain's virtual block device",
  about: '-f, --force        do not wait for the domain to release the device',
  options: 'f',
  long: { force: 'f' },
  least: 2,
  run: session => {
    const { id, vm } = first(session)
    const word = session.words[1] ?? ''
    const number = diskNumber(word)
    const notThere = `Error: Device ${word} not connected.`
    if (number === undefined) throw new Ended([notThere])
    const disk = vm && disksOf(xmlOf(vm)).find(({ target }) => diskNumber(target) === number)
    if (!vm || !disk) {
      throw new Ended([
        `libxl: error: libxl_disk.c:516:libxl__disk_from_xenstore: disk /libxl/${id}/device/vbd/${number} does not exist (no backend path`,
        notThere,
      ])
    }
    if (stateOf(vm) !== 4 && !session.options.has('f')) {
      throw new Ended([
        `libxl: error: libxl_device.c:1181:device_backend_callback: Domain ${id}:unable to remove device with path /local/domain/0/backend/vbd/${id}/${number}`,
        `libxl: error: libxl_device.c:1481:device_addrm_aocomplete: Domain ${id}:Unable to remove vbd with id ${number}`,
        'libxl_device_disk_safe_remove failed.',
      ])
    }
    session.host.hypervisor.detach(vm, disk.xml, live)
    return 0
  },
}

const networkList: Verb = {
  flags: 'vtT',
  words: '<Domain(s)>',
  does: 'List virtual network interfaces for a domain',
  least: 1,
  run: async session => {
    await say(
      session,
      'Idx BE Mac Addr.         handle state evt-ch   tx-/rx-ring-ref BE-path                       \n',
    )
    for (const word of session.words) {
      const { id, vm } = find(session.host, word)
      if (vm) await say(session, cardRows(id, vm))
    }
    return 0
  },
}

function cardRows(id: number, vm: Vm): string {
  const state = stateOf(vm)
  return nicsOf(xmlOf(vm))
    .map((card, place) => {
      const number = cardNumber(card, place)
      const [send, receive] = state === 4 ? [521 + 2 * number, 522 + 2 * number] : [-1, -1]
      const columns = [
        String(number).padEnd(3),
        '0'.padEnd(2),
        (macOf(card) ?? '').padEnd(17),
        String(number).padStart(5),
        String(state).padStart(5),
        '-1'.padStart(6),
        `${String(send).padStart(5)}/${String(receive).padEnd(11)}`,
        `/local/domain/0/backend/vif/${id}/${number}`.padEnd(30),
      ]
      return `${columns.join(' ')}\n`
    })
    .join('')
}

const networkAttach: Verb = {
  flags: 'vtTfN',
  words:
    '<Domain> [type=<type>] [mac=<mac>] [bridge=<bridge>] [ip=<ip>] [script=<script>] [backend=<BackDomain>] [vifname=<name>] [rate=<rate>] [model=<model>] [accel=<accel>] [mtu=<mtu>]',
  does: 'Create a new virtual network device',
  least: 1,
  run: session => {
    const { host, words } = session
    const { id, vm } = first(session)
    const { card, mistake } = readCard(words.slice(1))
    if (mistake !== undefined) throw new Ended([mistake])
    if (!vm) throw new Ended([noType(id), cannotAdd, 'libxl_device_nic_add failed.'])
    const cards = nicsOf(xmlOf(vm))
    const number = Math.max(-1, ...cards.map(cardNumber)) + 1
    const hex = digest(`card ${id} ${number} ${Date.now()}`)
    const mac = card.mac ?? `00:16:3e:${hex.slice(0, 2)}:${hex.slice(2, 4)}:${hex.slice(4, 6)}`
    host.hypervisor.attach(vm, cardXml({ ...card, mac }, number), live)
    const missing = missingBridge(host, card)
    if (missing !== undefined) {
      // The card stays, without a network.
      throw new Ended([
        ...hotplugFailed(missing, 'online'),
        `libxl: error: libxl_device.c:1481:device_addrm_aocomplete: Domain ${id}:Unable to add vif with id ${number}`,
        'libxl_device_nic_add failed.',
      ])
    }
    return 0
  },
}

const networkDetach: Verb = {
  flags: 'vtTf',
  words: '<Domain> <DevId|mac>',
  does: "Destroy a domain's virtual network device",
  least: 2,
  run: session => {
    const { id, vm } = first(session)
    const word = session.words[1] ?? ''
    const isMac = word.includes(':')
    const card = vm
      ? nicsOf(xmlOf(vm)).find((one, place) =>
          isMac ? macOf(one) === word.toLowerCase() : String(cardNumber(one, place)) === word,
        )
      : undefined
    if (!vm || !card) {
      const path = `/libxl/${id}/device/vif/${word}`
      const store = `libxl: error: libxl_xshelp.c:206:libxl__xs_read_mandatory: xenstore read failed: \`${path}': No such file or directory`
      throw new Ended([...(isMac ? [] : [store]), `Unknown device ${word}.`])
    }
    session.host.hypervisor.detach(vm, card, live)
    return 0
  },
}

/** xl changes what runs, and nothing else is kept of a domain. */
const live = { live: true, config: false } as const

export const deviceVerbs: Readonly<Record<string, Verb>> = {
  'block-attach': blockAttach,
  'block-list': blockList,
  'block-detach': blockDetach,
  'network-attach': networkAttach,
  'network-list': networkList,
  'network-detach': networkDetach,
}
