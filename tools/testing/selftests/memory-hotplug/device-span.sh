#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The span of ZONE_DEVICE, and of its node, follows persistent memory that a
# driver takes and gives back: the same after as before, any number of times.
# Skips where there is no pmem namespace, and on kernels without zone extents,
# which never let that span shrink.
DIR=$(dirname "$(readlink -f "$0")")
. "$DIR"/../kselftest/ktap_helpers.sh

cycles=10
driver=/sys/bus/nd/drivers/nd_pmem
namespace=

# device_span NODE: start and size of the node's ZONE_DEVICE, in pages
device_span()
{
	awk -v zone="Node $1, zone   Device" '
		/^Node/ { here = index($0, zone) == 1 }
		here && $1 == "spanned" { spanned = $2 }
		here && $1 == "start_pfn:" { start = $2 }
		END { print start + 0, spanned + 0 }' /proc/zoneinfo
}

skip()
{
	ktap_print_header
	ktap_skip_all "$1"
	exit "$KSFT_SKIP"
}

[ "$UID" = 0 ] || skip "must be run as root"
grep -q ' zone_extents_end$' /proc/kallsyms || skip "this kernel has no zone extents"
for device in "$driver"/namespace*; do
	[ -e "$device" ] || continue
	namespace=${device##*/}
	break
done
[ -n "$namespace" ] || skip "no pmem namespace is in use (memmap=64M!1G on the command line makes one)"
node=$(< "$driver/$namespace/numa_node")
[ "$node" -ge 0 ] || node=0

restore()
{
	[ -e "$driver/$namespace" ] || echo "$namespace" > "$driver/bind"
}
trap restore EXIT

ktap_print_header
ktap_set_plan 4

size=$(< "$driver/$namespace/size")
pages=$((size / $(getconf PAGESIZE)))
bound=$(device_span "$node")
read -r start spanned <<< "$bound"
if [ "$spanned" -ge "$pages" ]; then
	ktap_test_pass "ZONE_DEVICE of node $node spans the $pages pages of $namespace"
else
	ktap_test_fail "ZONE_DEVICE of node $node spans $spanned pages, $namespace has $pages"
fi

echo "$namespace" > "$driver/unbind"
unbound=$(device_span "$node")
read -r start spanned <<< "$unbound"
ktap_print_msg "with $namespace: $bound, without: $unbound (start, pages)"
if [ "$unbound" != "$bound" ]; then
	ktap_test_pass "the span shrinks when $namespace goes"
else
	ktap_test_fail "the span stays at $bound after $namespace has gone"
fi
others=("$driver"/namespace*)
if [ -e "${others[0]}" ] || [ "$spanned" = 0 ]; then
	ktap_test_pass "nothing is spanned without device memory"
else
	ktap_test_fail "$spanned pages are spanned, but there is no device memory"
fi

problem=
for ((i = 0; i < cycles && !${#problem}; i++)); do
	echo "$namespace" > "$driver/bind"
	[ "$(device_span "$node")" = "$bound" ] || problem="bound: $(device_span "$node"), expected $bound"
	echo "$namespace" > "$driver/unbind"
	[ "$(device_span "$node")" = "$unbound" ] || problem="unbound: $(device_span "$node"), expected $unbound"
done
if [ -z "$problem" ]; then
	ktap_test_pass "the same after each of $cycles cycles"
else
	ktap_test_fail "cycle $i, $problem"
fi
ktap_finished
