# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# What measurements have in common: kernels, modules, guests that count instructions.
# For "run" and "profile", which call themselves $what.

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
results=$top/build/results
functions=$top/build/bench/functions.so
mkdir -p "$results" "$top/build/bench"

# guest_under CLOCK NAME INIT OPTION...: runs INIT in a guest with the kernel $image
guest_under()
{
	local clock=$1 name=$2 init=$3

	shift 3
	# shellcheck disable=SC2086,SC2154 # no clock is no option; who sources this sets what
	"$top/tools/vm/run" --arch x86_64 --kernel "$image" $clock --init "$init" \
		--timeout 1200 --log "$results/$what-$name" "$@" >/dev/null || {
		echo "$what: guest $name failed: $results/$what-$name.console" >&2
		exit 1
	}
}

# guest NAME INIT OPTION...: one CPU, where a nanosecond is an instruction
guest()
{
	guest_under --icount "$@"
}

# kernel VARIANT: builds it; sets image
kernel()
{
	"$top/tools/kernel/build" x86_64 "$1" >"$results/$what-build.log"
	image=$(tail -n 1 "$results/$what-build.log")
	"$top/tools/vm/initramfs" x86_64 >/dev/null
}

# test_module VARIANT [CFLAGS]: sets module, that of drivers/mhp_test
test_module()
{
	module=$("$top/tools/kernel/module" x86_64 "$1" mhp_test "${2:-}" \
		"$top"/drivers/mhp_test/{Makefile,*.c})
}

# counted VARIANT INIT CFLAGS OPTION...: runs INIT with the plugin that counts what each
# function takes
counted()
{
	local variant=$1 init=$2 cflags=$3

	shift 3
	kernel "$variant"
	test_module "$variant" "$cflags"
	gcc -O2 -shared -fPIC -fvisibility=hidden -o "$functions" "$top/tools/bench/functions.c"
	guest "$variant-functions" "$top/tools/bench/$init" --add "$module:/mhp_test.ko" "$@" \
		--qemu "-plugin $functions,map=$top/build/kernel/x86_64-$variant/System.map,out=$results/$what-$variant.functions"
}
