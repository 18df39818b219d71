#!/bin/sh
# What is written to the guest's disk is what is read from it.
#
# The data is random, so that no stale block can pass for it, and its sum is taken on its way to the file, not from the
# file. Caches are dropped before reading where that is allowed (Documentation/admin-guide/sysctl/vm.rst, drop_caches,
# from 2.6.16), so that the disk answers and not the page cache.
. "$GUESTCERT/tap.sh"

folder=${GC_TMP:-/var/tmp}
file=$folder/disk-verify.$$
copy=$file.copy
trap 'rm -f "$file" "$copy"; tap_ended' EXIT || :

free=$(df -Pk "$folder" 2>/dev/null | awk 'NR == 2 { print $4 }')
tap_is_number "$free" || bail_out "the room in $folder is not known"
[ "$free" -gt 16384 ] || bail_out "there is less than 16 MiB of room in $folder"
fact file-system "$(df -Pk "$folder" | awk 'NR == 2 { print $1 " " $6 }')"

# Small systems leave one or the other away.
tool=
for tool in cksum md5sum sha1sum none; do
  if echo | "$tool" >/dev/null 2>&1; then break; fi
done
[ "$tool" != none ] || bail_out "there is neither cksum nor md5sum nor sha1sum"
fact sum "$tool"

# Sets sum, and cache to what became of the page cache.
read_back() {
  sync
  if { echo 3 >/proc/sys/vm/drop_caches; } 2>/dev/null; then cache=dropped; else cache=kept; fi
  sum=$("$tool" <"$1")
}

wanted=$(dd if=/dev/urandom bs=65536 count=32 2>/dev/null | tee "$file" | "$tool")
isnt "$wanted" "$(: | "$tool")" "there is data to write"
read_back "$file"
is "$sum" "$wanted" "what was written is read"
fact page-cache "$cache"

cp "$file" "$copy"
read_back "$copy"
is "$sum" "$wanted" "a copy of it is the same"

# A block is replaced by another one, and by itself again: the rest of the file must not move.
dd if="$copy" of="$file" bs=4096 count=1 skip=1 seek=200 conv=notrunc 2>/dev/null
read_back "$file"
isnt "$sum" "$wanted" "a block that is replaced is another one"
dd if="$copy" of="$file" bs=4096 count=1 skip=200 seek=200 conv=notrunc 2>/dev/null
read_back "$file"
is "$sum" "$wanted" "and the same again when it is put back"

is "$(wc -c <"$file" | tr -d ' ')" 2097152 "the file has the size that was written"

done_testing
