import t from 'tap'
import { UnknownOutput } from '../shared/unknown-output.js'
import {
  addressesIn,
  faultOf,
  isWithoutTools,
  parseProduct,
  parseRunning,
  parseSnapshots,
  parseVmrunVersion,
} from './output.js'

// Index files are numbered as in docs/vmrun.md.

t.test('what runs, a path on a line', t => {
  t.strictSame(parseRunning('Total running VMs: 0\n'), [])
  t.strictSame(parseRunning("Total running VMs: 2\n/vms/a b/x.vmx\n/vms/Bob's/y.vmx\n"), [
    '/vms/a b/x.vmx',
    "/vms/Bob's/y.vmx",
  ])
  for (const text of ['', 'Total running VMs: 2\n/vms/x.vmx\n', 'Total running VMs: 1\n', '/vms/x.vmx\n']) {
    t.throws(() => parseRunning(text), UnknownOutput, JSON.stringify(text))
  }
  t.end()
})

t.test('snapshots, whose first line is a header (index file 58787971083)', t => {
  t.strictSame(parseSnapshots('Total snapshots: 2\nclean\nbefore update\n'), ['clean', 'before update'])
  t.strictSame(parseSnapshots('Total snapshots: 0\n'), [])
  t.throws(() => parseSnapshots('Total snapshots: 2\nclean\n'), UnknownOutput)
  t.throws(() => parseSnapshots('Total running VMs: 1\nclean\n'), UnknownOutput)
  t.end()
})

t.test('errors, on standard output, whatever the status is', t => {
  const texts = [
    'Error: The virtual machine is not powered on: /path/x.vmx',
    'Error: Cannot open VM: /path/x.vmx, The virtual machine cannot be found',
    // Index file 58025880755: an encrypted one.
    'Error: Cannot open VM: /path/x.vmx, Incorrect password',
    'Error: The VMware Tools are not running in the virtual machine: /path/x.vmx',
    'Error: One of the parameters was invalid',
    'Error: The file is already in use',
    // Index file 20119502104: another product than -T says.
    'Error: Unable to connect to host. Error: The operation is not supported for the specified parameters',
    'Error: Insufficient permissions in the host operating system',
  ]
  for (const text of texts) {
    t.equal(faultOf({ code: 255, text: `${text}\n` }), text)
    // Index file 69189811153: some commands fail with a status of 0.
    t.equal(faultOf({ code: 0, text: `${text}\n` }), text)
    t.equal(isWithoutTools(text), text.includes('VMware Tools'))
  }
  // Index file 70828737359: checkToolsState, with a status that is no word.
  t.equal(faultOf({ code: 254, text: 'unknown\n' }), 'status 254: unknown')
  t.equal(faultOf({ code: 0, text: '' }), null)
  t.end()
})

t.test('an address, and what is none', t => {
  const of = (text: string, code = 0): string[] => addressesIn({ code, text })
  t.strictSame(of('192.168.42.17\n'), ['192.168.42.17'])
  t.strictSame(of('unknown\n'), [])
  t.strictSame(of('Error: Unable to get the IP address\n', 255), [])
  t.strictSame(of('192.168.42.17\n', 255), [])
  t.strictSame(of('169.254.3.4\n'), [])
  t.strictSame(of(''), [])
  t.end()
})

t.test('products and versions', t => {
  t.strictSame(parseProduct('VMware Workstation 17.5.0 build-22583795\n'), {
    name: 'VMware Workstation',
    version: '17.5.0',
    build: '22583795',
  })
  t.equal(parseProduct('VMware Server 2.0.2 build-203138\n').name, 'VMware Server')
  t.throws(() => parseProduct('sh: vmware: not found\n'), UnknownOutput)
  // pastebin.com/3e9YyQn3
  t.equal(parseVmrunVersion('\nvmrun version 1.13.1 build-1398658\n\nUsage: vmrun'), '1.13.1')
  t.equal(parseVmrunVersion('Usage: vmrun'), null)
  t.end()
})
