#!/bin/bash
# registry_add.sh: drops one new learner file into a copy of the tree, builds, and finds it
# everywhere: list, help, validation, schema, training, conformance. Nothing else is edited.
set -uo pipefail
cd "$(dirname "$0")/.." || exit 1
root=$PWD
copy=$(mktemp -d "${TMPDIR:-/tmp}/tidemill-add.XXXXXX")
trap 'rm -rf "$copy"' EXIT
python3 tools/style.py files | tar -cf - -T - | tar -xf - -C "$copy"
cd "$copy" || exit 1
passed=0 failed=0

check() { # check WHAT COMMAND...: a sentence and what shows it
    local what=$1; shift
    if out=$("$@" 2>&1); then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "tests/registry_add.sh:1: not so: $what"
        echo "$out" | tail -n 20 | sed 's/^/    /'
    fi
}
says() { # says STATUS WORDS COMMAND...: ends with this status and shows these words
    local status=$1 words=$2 shown got; shift 2
    shown=$("$@" 2>&1); got=$?
    printf '%s\n' "$shown" "(status $got)"
    [ $got = "$status" ] && grep -q -- "$words" <<<"$shown"
}
finish() { echo "$passed passed, $failed failed"; [ $failed = 0 ] && [ $passed -gt 0 ]; exit; }
known() { # is the learner in the list of the program?
    tidemill list learner --json | python3 -c '
import json, sys
names = [e["name"] for e in json.load(sys.stdin)["learner"]]
sys.exit("sample_prior" not in names)'
}

PATH="$copy/build/src:$PATH"
# without optimisation: what is shown here is the build's notice of new files
meson setup build -Doptimization=0 -Ddebug=false >setup.log || { cat setup.log; exit 1; }
ninja -C build >build.log || { tail -n 30 build.log; exit 1; }
check "the list does not know it before" bash -c "! $(declare -f known); ! known"

cp "$root/tests/registry_add/sample_prior.c" src/learners/
check "the build notices the file and says so" says 1 "+ src/learners/sample_prior.c" ninja -C build
check "the next build succeeds" ninja -C build
[ $failed = 0 ] || finish
check "the list knows it" known
check "its page shows the parameter and its help" \
    says 0 "rows added to every class" tidemill list learner sample_prior
check "its JSON carries the parameter's bounds" bash -c '
tidemill list learner sample_prior --json | grep -q "\"smooth\""'
check "help of train shows its parameter" \
    says 0 smooth tidemill train --learner sample_prior --help
train="tidemill train data/penguins.csv --target species --learner sample_prior -o sample.tide"
check "it trains" $train --set smooth=3
check "the model remembers the parameter" says 0 "smooth" tidemill show sample.tide
check "it predicts" tidemill predict sample.tide data/penguins.csv -o sample.csv
check "a peer's name works" $train --set sample_alpha=3
check "a value out of bounds is refused by its row" \
    says 2 "'smooth' must be .*\[param-range\]" $train --set smooth=-1
check "another name gets the nearest" says 2 "hint: smooth" $train --set smoth=1
cp src/learners/sample_prior.c keep.c && rm src/learners/sample_prior.c
check "the build notices that it went" says 1 "- src/learners/sample_prior.c" ninja -C build
check "and builds without it" ninja -C build
finish
