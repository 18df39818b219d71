/**
 * The PowerShell texts that are sent. They must run on PowerShell 2.0 (2008 R2) as on 5.1, print ASCII only, so that no
 * code page can harm it, and fit in one command line of cmd (8,191 characters) once they are UTF-16LE in base64.
 */

/**
 * A service that takes requests from standard input, one a line, and answers each in lines of its own as they come. Each
 * request has a runspace, so that a slow one holds up none but those who asked for it.
 */
export const serviceText = String.raw`$ProgressPreference='SilentlyContinue'
$gcWork={param($id,$op,$a,$b,$c)
$ErrorActionPreference='Stop'
$o=[Console]::Out
function T($s){'"'+[regex]::Replace([string]$s,'[^ !#-\[\]-~]',{param($m)'\u{0:x4}' -f [int][char]$m.Value})+'"'}
function V($v){
if($null -eq $v){'null'}
elseif($v -is [array]){'['+[string]::Join(',',@($v|ForEach-Object{V $_}))+']'}
elseif($v -is [datetime]){T ($v.ToUniversalTime().ToString('yyyyMMddHHmmss.ffffff')+'+000')}
elseif($v -is [IFormattable]){T ($v.ToString($null,[Globalization.CultureInfo]::InvariantCulture))}
else{T $v}}
function R($h){$script:n++;$o.WriteLine("gc $id row {"+[string]::Join(',',@($h|ForEach-Object{(T $_[0])+':'+(V $_[1])}))+'}')}
$n=0
try{switch($op){
'wmi'{$k=$b.Split(',');$q='SELECT '+$b+' FROM '+$c
if($PSVersionTable.PSVersion.Major -gt 2){$g={Get-CimInstance -Namespace $a -Query $q}}else{$g={Get-WmiObject -Namespace $a -Query $q}}
&$g|ForEach-Object{$i=$_;R @($k|ForEach-Object{,@($_,$i.$_)})}}
'registry'{$h=@{HKLM=[Microsoft.Win32.Registry]::LocalMachine;HKU=[Microsoft.Win32.Registry]::Users}[$a]
$k=$h.OpenSubKey($b)
if($null -eq $k){$o.WriteLine("gc $id absent");return}
foreach($s in $k.GetSubKeyNames()){R @(,@('key',$s))}
foreach($s in $k.GetValueNames()){R @(@('name',$s),@('kind',$k.GetValueKind($s).ToString()),@('value',$k.GetValue($s,$null,'DoNotExpandEnvironmentNames')))}}
'now'{R @(,@('ticks',[DateTime]::UtcNow.Ticks))}
default{throw "unknown request $op"}}
$o.WriteLine("gc $id end $n")}
catch{$o.WriteLine("gc $id error "+(T $_.Exception.Message))}}
$p=[Management.Automation.Runspaces.RunspaceFactory]::CreateRunspacePool(1,8)
$p.Open()
[Console]::Out.WriteLine("gc hello $($PSVersionTable.PSVersion) $PID")
$r=@()
while($null -ne ($l=[Console]::In.ReadLine())){
$f=@($l.Split([char]9)|ForEach-Object{[regex]::Unescape($_)})
$s=[Management.Automation.PowerShell]::Create()
$s.RunspacePool=$p
[void]$s.AddScript($gcWork)
foreach($x in $f){[void]$s.AddArgument($x)}
$r+=,@($s,$s.BeginInvoke())}
foreach($x in $r){[void]$x[1].AsyncWaitHandle.WaitOne()}
[Console]::Out.WriteLine('gc bye')
[Environment]::Exit(0)`

/**
 * Runs a script of a test's and tells apart how it ended: by itself, with `exit`, or by an error thrown. `{SCRIPT}` is
 * the script in UTF-8 and base64. A non-terminating error is counted, for PowerShell ends with 0 after it.
 */
export const scriptText = `$ProgressPreference='SilentlyContinue'
$gcText=[Text.Encoding]::UTF8.GetString([Convert]::FromBase64String('{SCRIPT}'))
$global:LASTEXITCODE=$null
$Error.Clear()
try{Invoke-Expression $gcText}
catch{[Console]::Error.WriteLine([string]$_);[Console]::Out.WriteLine("{NONCE} throw $($Error.Count) $LASTEXITCODE");[Environment]::Exit(1)}
[Console]::Out.WriteLine("{NONCE} end $($Error.Count) $LASTEXITCODE")
[Environment]::Exit(0)`

/** `-EncodedCommand` takes base64 of UTF-16LE without a byte order mark (about_PowerShell_exe). */
export function encodedCommand(text: string): string {
  return Buffer.from(text, 'utf16le').toString('base64')
}
