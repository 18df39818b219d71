import t from 'tap'
import type { Properties } from './api/properties.js'
import { hardwareOf, stateOf } from './machine.js'
import { parseMessage } from './soap/element.js'
import { readLocalizedFault, readSoapFault } from './soap/fault.js'
import { whyNot } from './usable.js'

/** What a server answers for some properties: texts, or elements. */
function propertiesOf(values: Readonly<Record<string, string>>): Properties {
  const at: Properties['at'] = path => {
    const value = values[path]
    return value === undefined
      ? undefined
      : parseMessage(`<val xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">${value}</val>`)
  }
  return { self: { type: 'VirtualMachine', value: 'vm-1' }, at, text: path => at(path)?.text.trim() }
}

const runs = { 'runtime.powerState': 'poweredOn', 'runtime.connectionState': 'connected' }

t.test('a machine is what its host says, and what its vCenter cannot see goes on', async t => {
  t.match(stateOf(propertiesOf(runs)), { power: 'on', said: 'poweredOn' })
  t.match(stateOf(propertiesOf({ ...runs, 'runtime.powerState': 'suspended' })), { power: 'paused' })
  const disconnected = { ...runs, 'runtime.connectionState': 'disconnected' }
  t.match(stateOf(propertiesOf(disconnected)), { power: 'busy', said: 'poweredOn, disconnected' })
  for (const lost of ['orphaned', 'inaccessible', 'invalid']) {
    t.match(stateOf(propertiesOf({ ...runs, 'runtime.connectionState': lost })), {
      power: 'off',
      account: { cause: 'host', why: `the virtual machine is ${lost}` },
    })
  }
})

t.test('a question is named with the answers that it takes', async t => {
  const question =
    '<id>7</id><text>msg.hbacommon.outofspace: There is no more space\nfor the disk.</text><choice><choiceInfo><label>Retry</label></choiceInfo><choiceInfo><label>Cancel</label></choiceInfo><defaultIndex>0</defaultIndex></choice>'
  t.equal(
    stateOf(propertiesOf({ ...runs, 'runtime.question': question })).question,
    'msg.hbacommon.outofspace: There is no more space for the disk. (Retry, Cancel)',
  )
  t.equal(stateOf(propertiesOf(runs)).question, undefined)
})

t.test('disks go by the serial number that their guest sees, cards by their address', async t => {
  const hardware = propertiesOf({
    hardware: `<numCPU>2</numCPU><memoryMB>512</memoryMB>
      <device xsi:type="ParaVirtualSCSIController"><key>1000</key></device>
      <device xsi:type="VirtualDisk"><key>2000</key><backing><uuid>6000C29A-1b2c-3d4e-5f60-718293a4b5c6</uuid></backing></device>
      <device xsi:type="VirtualDisk"><key>2001</key><backing/></device>
      <device xsi:type="VirtualVmxnet3"><key>4000</key><macAddress>00:50:56:AB:00:01</macAddress></device>`,
  }).at('hardware')
  t.strictSame(hardwareOf(hardware), {
    disks: ['6000c29a1b2c3d4e5f60718293a4b5c6', 'key-2001'],
    nics: ['00:50:56:ab:00:01'],
    vcpus: 2,
    memoryBytes: 2 ** 29,
  })
})

t.test('what belongs to a solution, to Fault Tolerance or to no lab is left alone', async t => {
  const clone = { kind: 'overlay', path: 'sealed' } as const
  const itself = { kind: 'snapshot', name: 'sealed' } as const
  const owned = {
    'config.managedBy': '<extensionKey>com.vmware.vim.eam</extensionKey><type>cluster-agent</type>',
  }
  t.equal(whyNot(propertiesOf(owned), clone), 'it belongs to com.vmware.vim.eam')
  t.match(whyNot(propertiesOf({ 'config.ftInfo': '<role>1</role>' }), itself), /Fault Tolerance/)
  t.match(whyNot(propertiesOf({ 'config.template': 'true' }), itself), /it is a template/)
  t.equal(whyNot(propertiesOf({ 'config.template': 'true' }), clone), null)
  t.equal(whyNot(propertiesOf({ 'config.template': 'false' }), { kind: 'none' }), null)
})

t.test('faults are known by their type, whatever prefix and language the server has', async t => {
  const soap = parseMessage(
    '<Body xmlns:i="http://www.w3.org/2001/XMLSchema-instance"><Fault><faultcode>ServerFaultCode</faultcode><faultstring>Anmeldung\n fehlgeschlagen</faultstring><detail><InvalidLoginFault i:type="InvalidLogin"/></detail></Fault></Body>',
  )
  t.match(readSoapFault(soap), { fault: 'InvalidLogin', message: 'Anmeldung fehlgeschlagen' })
  t.equal(readSoapFault(parseMessage('<Body><LoginResponse/></Body>')), null)
  const late = parseMessage(
    '<error xmlns:XMLSchema-instance="http://www.w3.org/2001/XMLSchema-instance"><fault XMLSchema-instance:type="NoDiskSpace"><faultMessage><message>ds1 is full</message></faultMessage></fault><localizedMessage>Insufficient disk space.</localizedMessage></error>',
  )
  t.match(readLocalizedFault(late), {
    fault: 'NoDiskSpace',
    message: 'Insufficient disk space.; ds1 is full',
  })
  t.throws(() => parseMessage('<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'), /DOCTYPE/)
})
