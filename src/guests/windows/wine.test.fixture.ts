/** A key with a value of every type, and with names that are hard to read. */
export const key = 'HKLM\\Software\\Guestcert try'
/** The file that makes it, for `reg import`. */
export const imported = `Windows Registry Editor Version 5.00

[HKEY_LOCAL_MACHINE\\Software\\Guestcert try]
@="the default"
"text"="a b"
"expand"=hex(2):25,00,57,00,25,00,00,00
"dword"=dword:fffffffe
"multi"=hex(7):6f,00,00,00,74,00,20,00,77,00,00,00,00,00
"no multi"=hex(7):00,00
"binary"=hex:00,ff,10
"no binary"=hex:
"none"=hex(0):01
"empty"=""
"a    b"="x    REG_SZ    y"
"back\\\\slash\\"q"="c:\\\\x\\\\"
"Größe"="µ"
"lines"=hex(1):61,00,0d,00,0a,00,62,00,00,00

[HKEY_LOCAL_MACHINE\\Software\\Guestcert try\\Sub Key]
[HKEY_LOCAL_MACHINE\\Software\\Guestcert try\\Other\\Deep]
[HKEY_LOCAL_MACHINE\\Software\\Guestcert wide]
"qword"=hex(b):f0,de,bc,9a,78,56,34,12
`
