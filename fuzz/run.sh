#!/bin/sh
# Usage: fuzz/run.sh SECONDS [TARGET...]
#
# Builds the targets (all without names) with coverage instrumentation and runs each for SECONDS, starting
# from the fixtures and examples of the repository. Needs the stable toolchain and a C++ compiler.
# Ends with 1 when a target found something; the input then lies in fuzz/artifacts/TARGET/.
set -eu

seconds=${1:?usage: fuzz/run.sh SECONDS [TARGET...]}
shift
here=$(cd "$(dirname "$0")" && pwd)
root=$(dirname "$here")
if [ $# -eq 0 ]; then
    set -- $(cd "$here/fuzz_targets" && ls *.rs | sed 's/\.rs$//')
fi

if ! command -v c++ >/dev/null; then
    echo "installing a C++ compiler (g++) …"
    $([ "$(id -u)" = 0 ] || echo sudo) sh -c 'apt-get update -qq && apt-get install -y -qq --no-install-recommends g++'
fi

host=$(rustc -vV | sed -n 's/^host: //p')
# What `cargo fuzz` passes with --sanitizer=none; all of it works on stable.
flags="-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4"
flags="$flags -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table"
flags="$flags -Cllvm-args=-sanitizer-coverage-trace-compares --cfg fuzzing -Ccodegen-units=1"
bins=""
for target in "$@"; do
    bins="$bins --bin $target"
done
# --target keeps the flags away from build scripts.
(cd "$here" && RUSTFLAGS="$flags" CARGO_TARGET_DIR="$here/target" \
    cargo build --quiet --release --target "$host" $bins)

# The files that a target starts from, one a line.
seeds() {
    fixtures="$root/crates/protocol/tests/fixtures"
    find "$here/seeds/$1" -type f 2>/dev/null || true
    case $1 in
        stacktrace) find "$fixtures/traces" -type f ;;
        webhook_*) find "$root/docs/examples" -name "webhook-${1#webhook_}.json" ;;
        frontend_log) find "$root/docs/examples" -name 'frontend-log*.json' ;;
        grouping | event_id) find "$here/seeds/event" "$root/docs/examples" -type f ;;
        *) find "$fixtures" -path "*$1*" -type f -size -65k ;;
    esac
}

found=0
for target in "$@"; do
    corpus="$here/corpus/$target"
    artifacts="$here/artifacts/$target"
    mkdir -p "$corpus" "$artifacts"
    seeds "$target" | while read -r file; do
        cp "$file" "$corpus/seed-$(cksum <"$file" | tr ' ' '-')"
    done
    dictionary="$here/dictionaries/json.dict"
    [ "$target" = stacktrace ] && dictionary="$here/dictionaries/trace.dict"
    log="$artifacts/last.log"
    if "$here/target/$host/release/$target" "$corpus" -dict="$dictionary" -artifact_prefix="$artifacts/" \
        -max_total_time="$seconds" -max_len=65536 -timeout=10 -rss_limit_mb=1024 -print_final_stats=1 \
        >"$log" 2>&1; then
        echo "$target: nothing found in $(sed -n 's/^stat::number_of_executed_units: *//p' "$log") runs," \
            "$(grep -o 'cov: [0-9]*' "$log" | tail -n 1)"
    else
        echo "$target: FOUND something, see $log" >&2
        grep -E 'panicked|ERROR|Test unit written' "$log" >&2 || tail -n 20 "$log" >&2
        found=1
    fi
done
exit $found
