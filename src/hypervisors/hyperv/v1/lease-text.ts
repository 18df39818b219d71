import type { HostText } from '../texts/text.js'

/**
 * The lease of a host, by the rules of the POSIX script (src/remote/lease/script.ts): one file a generation, which MoveFile
 * makes only where there is none of its name; the highest is the lease. It prints what the script prints.
 */
export const leaseText: HostText = {
  name: 'lease',
  columns: ['text'],
  why: 'Looks at the lease of the host, takes it, renews it, or gives it back.',
  sources: [
    'https://learn.microsoft.com/en-us/office/vba/language/reference/user-interface-help/movefile-method',
    'https://learn.microsoft.com/en-us/windows-server/administration/windows-commands/move',
    'https://learn.microsoft.com/en-us/windows/win32/api/winbase/nf-winbase-movefileexa',
  ],
  text: String.raw`var what=a[0],me=a[2],ttl=Number(a[3]),every=a[4],mine=a[5],about=a[6],d=gcOwn(a[1]),now=Math.floor(new Date().getTime()/1000),tmp=d+'\\.'+me+'.'+Math.random()
function top(){
var n=0,l=gcFound(d),i
for(i=0;i<l.length;i++)if(/^[1-9]\d{0,8}$/.test(l[i].Name)&&Number(l[i].Name)>n)n=Number(l[i].Name)
return n}
function look(n){
var h={state:'torn',id:'',until:0,ttl:0,renewal:0,lines:[]},k={},i,at
if(!n)return h
try{h.lines=gcRead(d+'\\'+n).split('\n')}catch(e){return h}
for(i=0;i<h.lines.length;i++){
at=h.lines[i].indexOf(' ')
at=at<0?[h.lines[i],'']:[h.lines[i].substring(0,at),h.lines[i].substring(at+1)]
if(k['='+at[0]]===undefined)k['='+at[0]]=at[1]}
if(k['=end']===undefined||!/^\d{1,11}$/.test(k['=until'])||!/^\d{1,11}$/.test(k['=ttl'])||!/^\d{1,11}$/.test(k['=renewal']))return h
return {state:k['=state'],id:k['=id'],until:Number(k['=until']),ttl:Number(k['=ttl']),renewal:Number(k['=renewal']),lines:h.lines}}
function word(n,h){
if(!n||h.state==='released')return 'free'
return h.until<=now||h.until-now>h.ttl?'stale':'held'}
function say(w,n,h){gcRow({text:['gc-lease '+w+' '+n+' '+now].concat(h.lines.slice(0,20),['','gc-end']).join('\n')})}
function write(state,renewal){gcWrite(tmp,['state '+state,'id '+me,'until '+(now+ttl),'ttl '+ttl,'every '+every,'renewal '+renewal,about,'end',''].join('\n'))}
function drop(path){try{gcFso.DeleteFile(path,true)}catch(e){}}
function renew(state,w){
var n=top(),h=look(n)
if(String(n)!==mine||h.id!==me||h.state==='released')return say('lost',n,h)
write(state,h.renewal+1)
gcReplace(tmp,d+'\\'+mine)
n=top()
if(String(n)!==mine){drop(d+'\\'+mine);return say('lost',n,look(n))}
say(w,n,look(n))}
function take(){
var tries,n,h,w,next,again,l,i
gcFolder(d)
for(tries=1;tries<=5;tries++){
n=top()
h=look(n)
w=word(n,h)
if(n&&h.id===me&&h.state==='held'){mine=String(n);return renew('held','taken')}
if(w==='held'||w==='stale'&&n+'.'+h.renewal!==mine)return say(w,n,h)
write('held',0)
next=n+1
try{gcFso.MoveFile(tmp,d+'\\'+next)}catch(e){drop(tmp);if(tries===5&&!gcFso.FileExists(d+'\\'+next))throw e;continue}
if(top()===next){
if(w==='stale'){
again=look(n)
if(n+'.'+again.renewal!==mine){drop(d+'\\'+next);return say(word(n,again),n,again)}}
l=gcFound(d)
for(i=0;i<l.length;i++)if(/^[1-9]\d*$/.test(l[i].Name)&&Number(l[i].Name)<next)drop(l[i].Path)
return say('taken',next,look(next))}
drop(d+'\\'+next)}
n=top()
say('held',n,look(n))}
if(gcFso.FolderExists(d)&&gcFso.GetFolder(d).Attributes&1024)gcRow({text:['gc-lease broken 0 0','why '+d+' is a link','gc-end'].join('\n')})
else if(what==='take')take()
else if(what==='renew')renew('held','kept')
else if(what==='release')renew('released','free')
else{mine=top();say(word(mine,look(mine)),mine,look(mine))}`,
}
