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
learner="tidemill list learner sample_prior"
known() { tidemill list learner --json 2>/dev/null | grep -q '"name": "sample_prior"'; }
unknown() { ! known; }
page() { # the reference page of the learner names its parameter
    python3 tools/reference.py build/src/tidemill reference && grep -q sample_alpha reference/learners.md
}

PATH="$copy/build/src:$PATH"
# without optimisation: what is shown here is the build's notice of new files
meson setup build -Doptimization=0 -Ddebug=false >setup.log || { cat setup.log; exit 1; }
ninja -C build src/tidemill tests/fresh.stamp >build.log || { tail -n 30 build.log; exit 1; }
check "the list does not know it before" unknown

cp "$root/tests/registry_add/sample_prior.c" src/learners/
check "the build notices the file and says so" \
    says 1 "+ src/learners/sample_prior.c; run ninja again" ninja -C build src/tidemill tests/fresh.stamp
check "the next build succeeds" ninja -C build src/tidemill
[ $failed = 0 ] || finish
check "the list knows it" known
check "its entry shows the parameter and its help" says 0 "rows added to every class" $learner
check "its JSON carries the parameter's bounds" says 0 '"max": 1000' $learner --json
check "its JSON schema does" says 0 '"maximum": 1000' $learner --schema --json
check "the reference page is written" page
check "help of train shows its flag" says 0 "--smooth X" tidemill train --learner sample_prior --help
train="tidemill train data/penguins.csv --target species --learner sample_prior -o sample.tide"
check "it trains" $train --set smooth=3
check "its parameter is a flag" $train --smooth 3
check "the model remembers the parameter" says 0 "smooth" tidemill show sample.tide
check "it predicts" tidemill predict sample.tide data/penguins.csv -o sample.csv
check "a peer's name works" $train --set sample_alpha=3
check "a value out of bounds is refused by its row" \
    says 2 "'smooth' must be .*\[param-range\]" $train --set smooth=-1
check "another name gets the nearest" says 2 "hint: smooth" $train --set smoth=1
if [ -n "$(ls tests/unit/*conformance* tests/conformance/*.c 2>/dev/null)" ]; then
    check "the conformance suite takes it up" says 0 "[1-9][0-9]* passed, 0 failed" \
        python3 tools/units.py build sample_prior --build --suite conformance
fi
finish
