#!/bin/sh
# archive.sh CC IN OUT: one object of all of IN, hidden symbols made local, as archive OUT
set -e
object="$3.p.o"
"$1" -r -nostdlib -Wl,--whole-archive "$2" -Wl,--no-whole-archive -o "$object"
objcopy --localize-hidden "$object"
rm -f "$3"
ar crsD "$3" "$object"
rm -f "$object"
