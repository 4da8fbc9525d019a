#!/bin/sh
# Runs fuzz targets one after the other and prints a line for each: inputs tried, seconds, outcome.
# Usage: run.sh TARGET…; all if none is named. An input that breaks a promise is kept in
# artifacts/TARGET, and cargo-fuzz says how to repeat it.
#   FUZZ_SECONDS    how long each target runs
#   FUZZ_RUNS       how many inputs each target gets instead, always the same ones
#   FUZZ_SANITIZER  address finds wrong accesses of C libraries, too, at half the speed
set -eu
cd "$(dirname "$0")"

seconds=${FUZZ_SECONDS:-60}
runs=${FUZZ_RUNS:-}
sanitizer=${FUZZ_SANITIZER:-none}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
log=$scratch/log

# Sanitizers are unstable options of rustc, and the project is built by one toolchain.
[ "$sanitizer" = none ] || export RUSTC_BOOTSTRAP=1

fuzz() {
	command=$1
	shift
	cargo fuzz "$command" --fuzz-dir . --sanitizer "$sanitizer" "$@"
}

# Says so if crates of the workspace have got other dependencies.
cargo metadata --locked --format-version 1 > /dev/null
[ $# -gt 0 ] || set -- $(cargo fuzz list --fuzz-dir .)
fuzz build

failed=
printf '%-20s %12s %8s  %s\n' target inputs seconds outcome
for target in "$@"; do
	if [ -n "$runs" ]; then
		# What earlier runs found would change which inputs these are.
		corpus=$scratch/$target
		limit="-seed=1 -runs=$runs"
	else
		corpus=corpus/$target
		limit="-max_total_time=$seconds"
	fi
	mkdir -p "$corpus"
	# A parser's memory is held by the targets themselves; this is for what C libraries allocate.
	start=$(date +%s)
	outcome=ok
	fuzz run "$target" "$corpus" "seeds/$target" -- $limit \
		-max_len=65536 -timeout=10 -rss_limit_mb=1024 -print_final_stats=1 > "$log" 2>&1 || outcome=FAILED
	inputs=$(sed -n 's/^stat::number_of_executed_units: //p' "$log")
	printf '%-20s %12s %8s  %s\n' "$target" "${inputs:-?}" $(($(date +%s) - start)) "$outcome"
	if [ "$outcome" != ok ]; then
		failed="$failed $target"
		# All of it has pages of stacks and bytes.
		grep -E -A 3 'panicked at|ERROR: |^error|Test unit written|cargo fuzz run' "$log" | cut -c 1-500
	fi
done
[ -z "$failed" ] || { echo "An input breaks a promise of:$failed" >&2; exit 1; }
