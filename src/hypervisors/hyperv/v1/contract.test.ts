import t from 'tap'
import { contract } from '../../contract.test.fixture.js'
import { startScriptHost } from './script-host.test.fixture.js'

/**
 * The script for 2008 and 2008 R2 as it is sent, carried out by Node's JavaScript over objects that play WMI from Microsoft's
 * reference: they judge names, types and order, and not Hyper-V.
 */
contract(t, 'Hyper-V 2008 R2, its script over played WMI', async t => startScriptHost(t))
