#!/bin/bash
# tests/readme.sh BIN - the five commands of the README, as printed, in a fresh folder
set -uo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
bin=$(cd "$1" && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
ln -s "$root/data" "$folder/data"
cd "$folder" || exit 70
passed=0 failed=0
while read -r line; do
    case $line in
    tidemill*)
        if PATH="$bin:$PATH" bash -c "$line" >out.txt 2>err.txt && [ -s err.txt ]; then
            passed=$((passed + 1))
        else
            failed=$((failed + 1)); echo "README: $line"; tail -3 err.txt
        fi ;;
    esac
done < <(sed -n '/^```sh/,/^```/p' "$root/README.md")
for f in churn.tide churn.html scores.csv; do
    if [ -s "$f" ]; then passed=$((passed + 1)); else failed=$((failed + 1)); echo "README: no $f"; fi
done
echo "$passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" -ge 8 ]
