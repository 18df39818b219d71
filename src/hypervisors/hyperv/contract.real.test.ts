import t from 'tap'
import { pwshVersion, withoutPwsh } from '../../remote/shells/windows/pwsh.test.fixture.js'
import { contract } from '../contract.test.fixture.js'
import { startPowerShellHost } from './powershell-host.test.fixture.js'

/**
 * The driver's texts in a real PowerShell, over modules that play Hyper-V from Microsoft's reference. PowerShell judges
 * the language, and that commands and parameters are those of the version; it does not judge Hyper-V.
 */
t.setTimeout(1_200_000)

if (withoutPwsh === false) {
  contract(t, `Hyper-V 2022, generation 2, in PowerShell ${pwshVersion()}`, t => startPowerShellHost(t))
} else {
  t.test('the contract in a real PowerShell', { skip: withoutPwsh }, async () => {})
}
