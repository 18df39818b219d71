import { InternalError } from '../../../config/errors.js'
import { probeWord } from './login.js'

/**
 * The PowerShell texts that are sent. Each is a constant: what differs from one use to the next travels as data, in a
 * first line of its own (see {@link withData}) or over standard input, so that a text can be told by its digest. They
 * run on PowerShell 2.0 (2008 R2) as on 7, print ASCII only, so that no code page can harm it, and fit in one command
 * line of cmd (8,191 characters) once they are UTF-16LE in base64. Functions have a prefix and a hyphen: an alias of any
 * version would come before a function of its name.
 */

/** Tells the login shell; the other half of it is read by `cmd` and by Cygwin's bash. */
export const loginProbe = `echo ${probeWord} %ComSpec% $PSHOME $?`

/**
 * Hands a line on to cmd from a login shell PowerShell, whatever preferences and strictness a profile has set. `$gcLine`
 * is the line as a literal, with every quotation mark as `%GC_Q%`, which cmd expands before it reads quotes.
 */
export const lineText =
  "$env:GC_Q=[string][char]34;$gcStart=New-Object Diagnostics.ProcessStartInfo 'cmd.exe',('/d /s /c '+$gcLine);$gcStart.UseShellExecute=$false;$gcDone=[Diagnostics.Process]::Start($gcStart);$gcDone.WaitForExit();exit $gcDone.ExitCode"

/** The same with its hole. */
export const loginLine: string = `$gcLine='{LINE-QUOTED}';${lineText}`

/** The registry is reached through this one function, for which a test may put another. */
export const registryFunction: string = `function Gc-Hive($n){@{HKLM=[Microsoft.Win32.Registry]::LocalMachine;HKU=[Microsoft.Win32.Registry]::Users}[$n]}`

/** What each request of a service begins with: a runspace of its own runs it. */
const requestHead = `$ProgressPreference='SilentlyContinue'
$g={param($f)
$ErrorActionPreference='Stop'
`

/** Writes values as JSON in ASCII: `Gc-V` one, `Gc-E` what is not printable in a line. */
const valueFunctions = String.raw`$o=[Console]::Out
$e=[regex]'[^ -~]'
$i=[Globalization.CultureInfo]''
$n=0
$u=$false
function Gc-V($v){
if($null -eq $v){return 'null'}
if($v -is [array]){return '['+[string]::Join(',',@(foreach($x in $v){Gc-V $x}))+']'}
if($v -is [datetime]){$v=$v.ToUniversalTime().ToString('yyyyMMddHHmmss.ffffff',$i)+'+000'}
elseif($v -is [IFormattable]){$v=$v.ToString($null,$i)}
'"'+([string]$v).Replace('\','\\').Replace('"','\"')+'"'}
function Gc-E($s){while(($m=$e.Match($s)).Success){$s=$s.Replace("$m",('\u{0:x4}' -f [int][char]"$m"))};$s}
`

/** Prints a row of the properties `$k` of what comes. */
const rowPrinter = String.raw`
$t={$u=$true
$r="gc $id row {"
foreach($p in $k){
$v=$_.$p
if($v -is [string]){$v='"'+$v.Replace('\','\\').Replace('"','\"')+'"'}
elseif($v -is [uint32]){$v='"'+$v+'"'}
else{$v=Gc-V $v}
$r+='"'+$p+'":'+$v+','}
$r=$r.TrimEnd(',')+'}'
if($e.IsMatch($r)){$r=Gc-E $r}
$o.WriteLine($r)
$n++
$u=$false}
`

/** Takes requests from standard input until its end. */
const requestLoop = `$z=[Management.Automation.Runspaces.RunspaceFactory]::CreateRunspacePool(1,8)
$z.Open()
[Console]::Out.WriteLine("gc hello $($PSVersionTable.PSVersion) $PID")
$w=@{}
while($null -ne ($l=[Console]::In.ReadLine())){
foreach($x in @($w.Keys)){if($w[$x][1].IsCompleted){$w[$x][0].Dispose();$w.Remove($x)}}
$f=@($l.Split([char]9)|ForEach-Object{[regex]::Unescape($_)})
if($f[1] -eq 'stop'){if($w[$f[2]]){[void]$w[$f[2]][0].BeginStop($null,$null)};continue}
$s=[Management.Automation.PowerShell]::Create()
$s.RunspacePool=$z
[void]$s.AddScript($g).AddArgument($f)
$w[$f[0]]=$s,$s.BeginInvoke()}
foreach($x in $w.Values){[void]$x[1].AsyncWaitHandle.WaitOne()}
[Environment]::Exit(0)`

/**
 * A service that takes requests from standard input, one a line, and answers each in lines of its own as they come. Each
 * request has a runspace, so that a slow one holds up none but those who asked for it; what has ended is let go. An
 * error that the guest gave as its answer is `error`; any other is `fault`, which is ours.
 *
 * A value is escaped with two calls of `Replace`, without a function, and each row is looked through once for what is not
 * ASCII: a call of a function costs 0.3 ms, a script block as a match evaluator 1.2 ms.
 */
export const serviceText: string = `${requestHead}$id,$op,$a,$b,$c=$f
${valueFunctions}${registryFunction}${rowPrinter}try{switch($op){
'wmi'{$k=$b.Split(',');$q="SELECT $b FROM $c"
&{if($PSVersionTable.PSVersion.Major -gt 2){Get-CimInstance -Namespace $a -Query $q}else{Get-WmiObject -Namespace $a -Query $q}}|ForEach-Object $t}
'registry'{$y=(Gc-Hive $a).OpenSubKey($b)
if(!$y){$o.WriteLine("gc $id absent");return}
$k='key','name','kind','value'
&{foreach($s in $y.GetSubKeyNames()){@{key=$s}};foreach($s in $y.GetValueNames()){@{name=$s;kind=$y.GetValueKind($s);value=$y.GetValue($s,$null,'DoNotExpandEnvironmentNames')}}}|ForEach-Object $t}
'now'{$k=@('ticks');@{ticks=[DateTime]::UtcNow.Ticks}|ForEach-Object $t}
default{$u=$true;throw $op}}
$o.WriteLine("gc $id end $n")}
catch{$d='error';if($u -or $_.CategoryInfo.Reason -match '^(Comm|Para|Pars)' -or $_.FullyQualifiedErrorId -like 'InvokeM*'){$d='fault'}
$o.WriteLine((Gc-E "gc $id $d $(Gc-V $_.Exception.Message)"))}}
${requestLoop}`

/**
 * The same for a host: each request brings the names of its columns, a constant text that gives hashtables, and its
 * arguments. An error is told with what does not depend on the language of the host: its identifier and its HRESULT.
 */
export const hostServiceText: string = `${requestHead}$id,$k,$b=$f[0..2]
$c=@(if($f.Length -gt 3){$f[3..($f.Length-1)]})
$k=$k.Split(',')
${valueFunctions.trimEnd()}${rowPrinter}try{& ([scriptblock]::Create($b)) @c|ForEach-Object $t
$o.WriteLine("gc $id end $n")}
catch{$x=$_.Exception
if($u){$o.WriteLine("gc $id fault $(Gc-V $x.Message)")}
else{$o.WriteLine((Gc-E "gc $id error $(Gc-V ($_.FullyQualifiedErrorId+('|{0:X8}|' -f $x.HResult)+$x.Message))"))}}}
${requestLoop}`

/**
 * The status of a script that was left without `exit`: by `break` or `continue` outside a loop. `exit` sets its own after
 * this one was set, and `[Environment]::Exit` leaves no line.
 */
export const leftStatus = 217

/**
 * Runs a script of a test's and tells how it ended. The data are a nonce and the script, in UTF-8 and base64. It prints
 * `NONCE begin`, what the script prints, and on lines of their own `NONCE HOW ERRORS LASTEXITCODE`; HOW is `end`, `throw`,
 * or `left` where the script did not come to its end. What was written as an error is counted: not what was silenced or
 * caught. Standard error of a program is not an error, but comes the same way. (With the redirection at Invoke-Expression
 * itself, without the block around it, PowerShell 7 loses what is written within.)
 */
export const scriptText: string = `$ProgressPreference='SilentlyContinue'
$gcNonce,$gcText=$gcGiven.Split(' ')
$gcText=[Text.Encoding]::UTF8.GetString([Convert]::FromBase64String($gcText))
$gcErrors=0
$gcHow='left'
$gcShow={if($_ -isnot [Management.Automation.ErrorRecord]){$_}
elseif($_.FullyQualifiedErrorId -like 'NativeCommandError*'){[Console]::Error.WriteLine($_.Exception.Message)}
else{$gcErrors++;[Console]::Error.WriteLine(($_|Out-String -Width 4096).TrimEnd())}}
$global:LASTEXITCODE=$null
$Error.Clear()
[Console]::Out.WriteLine($gcNonce+' begin')
try{
. {if($gcText){Invoke-Expression $gcText}} 2>&1|ForEach-Object $gcShow
$gcHow='end'
}catch{
$gcHow='throw'
$gcErrors++
if($_.FullyQualifiedErrorId -like 'NativeCommandError*'){$gcHow='native'}
[Console]::Error.WriteLine([string]$_)
}finally{
if($gcHow -eq 'left'){$host.SetShouldExit(${leftStatus})}
if($gcHow -eq 'throw'){$host.SetShouldExit(1)}
[Console]::Out.Write([char]10+$gcNonce+' '+$gcHow+' '+$gcErrors+' '+$global:LASTEXITCODE+[char]10)
}
$gcHow=$null`

/** Runs the text of a file: no execution policy stands in its way. The data are the file's path, in UTF-8 and base64. */
export const readerText: string = `$gcFile=[Text.Encoding]::UTF8.GetString([Convert]::FromBase64String($gcGiven))
Invoke-Expression ([IO.File]::ReadAllText($gcFile))`

const plainData = /^[A-Za-z0-9+/= .-]*$/

/** A text behind the line that gives it its data, which hold nothing that PowerShell could read as its own. */
export function withData(text: string, data: string): string {
  if (!plainData.test(data)) {
    throw new InternalError(`"${data}" cannot be the data of a PowerShell text`)
  }
  return `$gcGiven='${data}'\n${text}`
}

/** `-EncodedCommand` takes base64 of UTF-16LE without a byte order mark (about_PowerShell_exe). */
export function encodedCommand(text: string): string {
  return Buffer.from(text, 'utf16le').toString('base64')
}
