/**
 * What the texts below share, in JScript 5.7 (ES3), as cscript of Windows Server 2008 has it. Objects of COM are reached
 * through GetObject and ActiveXObject alone, for which a test may put others. WMI takes no arrays of JScript's: those of a
 * Scripting.Dictionary are what VBScript's are.
 */
export const library = String.raw`var gcFso=new ActiveXObject('Scripting.FileSystemObject'),gcShell=new ActiveXObject('WScript.Shell')
var gcNonce=WScript.Arguments.Item(0),gcRows=0,gcSpaces={},gcTexts={}
function gcQuote(t){return '"'+String(t).replace(/[^ !#-\[\]-~]/g,function(c){return '\\u'+('000'+c.charCodeAt(0).toString(16)).slice(-4)})+'"'}
function gcJson(v){
if(v===null||v===undefined)return 'null'
if(!(v instanceof Array))return gcQuote(v)
var l=[],i
for(i=0;i<v.length;i++)l.push(gcQuote(v[i]))
return '['+l.join(',')+']'}
function gcObject(o){
var l=[],k
for(k in o)l.push(gcQuote(k)+':'+gcJson(o[k]))
return '{'+l.join(',')+'}'}
function gcSay(t){WScript.Echo('gc '+gcNonce+' '+t)}
function gcRow(o){gcRows++;gcSay('row '+gcObject(o))}
function gcFail(id,code,message){
var e=new Error(message)
e.gcId=id
e.gcCode=String(code)
throw e}
function gcList(c){
var l=[],e
for(e=new Enumerator(c);!e.atEnd();e.moveNext())l.push(e.item())
return l}
function gcArray(l){
var d=new ActiveXObject('Scripting.Dictionary'),i
for(i=0;i<l.length;i++)d.Add(i,l[i])
return d.Items()}
function gcItems(v){return v===null||v===undefined?[]:new VBArray(v).toArray()}
function gcWmi(space){
space=space||'virtualization'
if(!gcSpaces[space])gcSpaces[space]=GetObject('winmgmts:{impersonationLevel=impersonate}!\\\\.\\root\\'+space)
return gcSpaces[space]}
function gcAll(query,space){return gcList(gcWmi(space).ExecQuery(query))}
function gcWql(t){return "'"+String(t).replace(/\\/g,'\\\\').replace(/'/g,"\\'")+"'"}
function gcNew(name){return gcWmi().Get(name).SpawnInstance_()}
function gcCall(on,name,given){
var wants=on.Methods_.Item(name).InParameters.SpawnInstance_(),k,r,job
for(k in given)wants.Properties_.Item(k).Value=given[k]
r=on.ExecMethod_(name,wants)
if(Number(r.ReturnValue)===0)return r
if(Number(r.ReturnValue)!==4096)gcFail('Return',r.ReturnValue,name)
for(;;){
job=gcWmi().Get(r.Job)
if(job.JobState===7||job.JobState===32768)return r
if(job.JobState>4)gcFail('Job',job.ErrorCode,name+': '+(job.ErrorDescription||'the job ended in state '+job.JobState))
WScript.Sleep(100)}}
function gcService(name,given,service){return gcCall(gcAll('SELECT * FROM '+(service||'Msvm_VirtualSystemManagementService'))[0],name,given)}
function gcVm(id){
var f=/^[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}$/i.test(id)?gcAll('SELECT * FROM Msvm_ComputerSystem WHERE Name='+gcWql(id)):[]
if(f.length!==1)gcFail('NotFound','','no virtual machine has the identifier '+id)
return f[0]}
function gcSettings(id,type){return gcAll('SELECT * FROM Msvm_VirtualSystemSettingData WHERE SystemName='+gcWql(id)+' AND SettingType='+type)}
function gcParts(settings,name){return gcList(settings.Associators_('',name))}
function gcOfType(parts,type){
var l=[],i
for(i=0;i<parts.length;i++)if(parts[i].ResourceSubType===type)l.push(parts[i])
return l}
function gcKey(path){return String(path).replace(/^.*?:(?=Msvm_)/,'').toLowerCase()}
function gcChild(parts,type,parent,address){
var l=gcOfType(parts,type),i
for(i=0;i<l.length;i++)if(gcKey(l[i].Parent)===gcKey(parent.Path_.Path)&&(address===undefined||String(l[i].Address)===String(address)))return l[i]
return null}
function gcDefault(name,type){
var o=gcAll('SELECT * FROM '+name+' WHERE InstanceID LIKE '+gcWql('%Default')+(type?' AND ResourceSubType='+gcWql(type):''))[0],n=gcNew(name),l=gcList(o.Properties_),i
for(i=0;i<l.length;i++)n.Properties_.Item(l[i].Name).Value=l[i].Value
return n}
function gcAdd(vm,part){gcService('AddVirtualSystemResources',{TargetSystem:vm.Path_.Path,ResourceSettingData:gcArray([part.GetText_(1)])})}
function gcModify(vm,part){gcService('ModifyVirtualSystemResources',{ComputerSystem:vm.Path_.Path,ResourceSettingData:gcArray([part.GetText_(1)])})}
function gcRename(vm,settings){gcService('ModifyVirtualSystem',{ComputerSystem:vm.Path_.Path,SystemSettingData:settings.GetText_(1)})}
function gcIde(parts,number){
var l=gcOfType(parts,'Microsoft Emulated IDE Controller'),i
for(i=0;i<l.length;i++)if(String(l[i].Address)===String(number))return l[i]
return null}
function gcState(vm){return vm.EnabledState+(Number(vm.HealthState)>=20?'/'+vm.HealthState:'')}
function gcSnapshot(vm,id){
var l=gcSettings(vm.Name,5),i
for(i=0;i<l.length;i++)if(l[i].InstanceID==='Microsoft:'+id)return l[i]
return null}
function gcFolder(path){
if(gcFso.FolderExists(path))return
gcFolder(gcFso.GetParentFolderName(path))
try{gcFso.CreateFolder(path)}catch(e){if(!gcFso.FolderExists(path))throw e}}
function gcOwn(name){return gcShell.ExpandEnvironmentStrings('%ProgramData%')+'\\guestcert\\'+name}
function gcRead(path){
var s=gcFso.OpenTextFile(path,1,false,-1)
try{return s.AtEndOfStream?'':s.ReadAll()}finally{s.Close()}}
function gcWrite(path,text){
var s=gcFso.CreateTextFile(path,true,true)
try{s.Write(text)}finally{s.Close()}}
function gcReplace(from,to){
if(gcShell.Run('cmd.exe /d /c move /y "'+from+'" "'+to+'"',0,true)!==0)gcFail('Move','','cannot move '+from+' to '+to)}
function gcFound(folder){return gcFso.FolderExists(folder)?gcList(gcFso.GetFolder(folder).Files):[]}
function gcPrinted(line){
var e=gcShell.Exec(line),t=e.StdOut.ReadAll()
return t}
function gcDisk(path){
var i=gcService('GetVirtualHardDiskInfo',{Path:path},'Msvm_ImageManagementService').Info,m=/NAME="ParentPath"[^>]*>\s*<VALUE>([^<]*)</.exec(i)
return m?m[1].replace(/&lt;/g,'<').replace(/&gt;/g,'>').replace(/&quot;/g,'"').replace(/&apos;/g,"'").replace(/&amp;/g,'&'):''}`

/** What carries out the text that the arguments name, and says how it ended. */
export const main = String.raw`try{
var gcGiven=[],gcAt
for(gcAt=2;gcAt<WScript.Arguments.length;gcAt++)gcGiven.push(unescape(WScript.Arguments.Item(gcAt).substring(1).replace(/_/g,'%u')))
gcTexts[WScript.Arguments.Item(1)](gcGiven)
gcSay('end '+gcRows)}catch(gcError){
gcSay('error '+gcObject({id:gcError.gcId||'Script',code:gcError.gcId?gcError.gcCode:((gcError.number||0)>>>0).toString(16).toUpperCase(),message:gcError.message||''}))}`
