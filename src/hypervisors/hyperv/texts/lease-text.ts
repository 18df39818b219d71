import { type HostText, pathFunction } from './text.js'

/**
 * The lease of a Windows host, by the rules of the POSIX script (src/remote/lease/script.ts): one file a generation,
 * which MoveFile makes only where there is none of its name; the highest is the lease. It prints what the script
 * prints.
 */
export const leaseText: HostText = {
  name: 'lease',
  columns: ['text'],
  why: 'Looks at the lease of the host, takes it, renews it, or gives it back.',
  sources: [
    'https://learn.microsoft.com/en-us/windows/win32/api/winbase/nf-winbase-movefilea',
    'https://learn.microsoft.com/en-us/windows/win32/api/winbase/nf-winbase-replacefilea',
  ],
  text: String.raw`param($what,$name,$me,$ttl,$every,$mine,$about)
${pathFunction}
$d=Gc-Path "$env:ProgramData\guestcert\$name"
$now=[int64][Math]::Floor(([DateTime]::UtcNow-[datetime]'1970-01-01').TotalSeconds)
$tmp=[IO.Path]::Combine($d,".$me."+[guid]::NewGuid().ToString('N'))
function Gc-File($n){[IO.Path]::Combine($d,"$n")}
function Gc-Top{$top=0
if([IO.Directory]::Exists($d)){foreach($f in [IO.Directory]::GetFiles($d)){$n=[IO.Path]::GetFileName($f);if($n -match '^[1-9]\d{0,8}$' -and [int]$n -gt $top){$top=[int]$n}}}
$top}
function Gc-Look($top){
$torn=@{state='torn';id='';until=[int64]0;ttl=[int64]0;renewal=[int64]0;lines=@()}
if($top -eq 0){return $torn}
try{$s=New-Object IO.FileStream ((Gc-File $top),'Open','Read','ReadWrite, Delete')
$r=New-Object IO.StreamReader $s
try{$lines=@($r.ReadToEnd().Split([char]10))}finally{$r.Dispose()}}catch{return $torn}
$k=@{}
foreach($l in $lines){$w,$x=$l.Split([char]32,2);if(!$k.ContainsKey($w)){$k[$w]=$x}}
$torn.lines=$lines
foreach($n in 'until','ttl','renewal'){if($k[$n] -notmatch '^\d{1,11}$'){return $torn}}
if(!$k.ContainsKey('end')){return $torn}
@{state=$k.state;id=$k.id;until=[int64]$k.until;ttl=[int64]$k.ttl;renewal=[int64]$k.renewal;lines=$lines}}
function Gc-Word($top,$h){
if($top -eq 0 -or $h.state -eq 'released'){return 'free'}
if($h.until -le $now -or $h.until-$now -gt $h.ttl){return 'stale'}
'held'}
function Gc-Say($word,$top,$h){
$lines=@("gc-lease $word $top $now")+@($h.lines|Select-Object -First 20)+@('','gc-end')
@{text=[string]::Join([string][char]10,$lines)}}
function Gc-Write($state,$renewal){
[IO.File]::WriteAllText($tmp,[string]::Join([string][char]10,@("state $state","id $me","until $($now+[int64]$ttl)","ttl $ttl","every $every","renewal $renewal",$about,'end','')))}
function Gc-Renew($state,$word){
$top=Gc-Top
$h=Gc-Look $top
if("$top" -cne $mine -or $h.id -cne $me -or $h.state -eq 'released'){return Gc-Say 'lost' $top $h}
Gc-Write $state ($h.renewal+1)
for($try=1;;$try++){try{[IO.File]::Replace($tmp,(Gc-File $mine),[NullString]::Value);break}catch{if($try -ge 10){throw};[Threading.Thread]::Sleep(20)}}
$top=Gc-Top
if("$top" -cne $mine){[IO.File]::Delete((Gc-File $mine));return Gc-Say 'lost' $top (Gc-Look $top)}
Gc-Say $word $top (Gc-Look $top)}
function Gc-Take{
[void][IO.Directory]::CreateDirectory($d)
for($try=1;$try -le 5;$try++){
$top=Gc-Top
$h=Gc-Look $top
$word=Gc-Word $top $h
if($top -gt 0 -and $h.id -ceq $me -and $h.state -eq 'held'){$mine="$top";return Gc-Renew 'held' 'taken'}
if($word -eq 'held'){return Gc-Say 'held' $top $h}
if($word -eq 'stale' -and "$top.$($h.renewal)" -cne $mine){return Gc-Say 'stale' $top $h}
Gc-Write 'held' 0
$next=$top+1
try{[IO.File]::Move($tmp,(Gc-File $next))}catch{[IO.File]::Delete($tmp);if(![IO.File]::Exists((Gc-File $next)) -and $try -ge 5){throw};continue}
if((Gc-Top) -eq $next){
if($word -eq 'stale'){$again=Gc-Look $top
if("$top.$($again.renewal)" -cne $mine){[IO.File]::Delete((Gc-File $next));return Gc-Say (Gc-Word $top $again) $top $again}}
foreach($f in [IO.Directory]::GetFiles($d)){$n=[IO.Path]::GetFileName($f);if($n -match '^[1-9]\d*$' -and [int64]$n -lt $next){try{[IO.File]::Delete($f)}catch{}}}
return Gc-Say 'taken' $next (Gc-Look $next)}
[IO.File]::Delete((Gc-File $next))}
$top=Gc-Top
Gc-Say 'held' $top (Gc-Look $top)}
if(([IO.File]::Exists($d) -or [IO.Directory]::Exists($d)) -and ([IO.File]::GetAttributes($d) -band [IO.FileAttributes]::ReparsePoint)){
return @{text=[string]::Join([string][char]10,@('gc-lease broken 0 0',"why $d is a link",'gc-end'))}}
switch($what){
'look'{$top=Gc-Top;$h=Gc-Look $top;Gc-Say (Gc-Word $top $h) $top $h}
'take'{Gc-Take}
'renew'{Gc-Renew 'held' 'kept'}
'release'{Gc-Renew 'released' 'free'}}`,
}
