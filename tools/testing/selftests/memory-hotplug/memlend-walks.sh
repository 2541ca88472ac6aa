#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Who walks physical memory leaves alone what /dev/memlend has lent.

set -euo pipefail
cd "$(dirname "$0")"

modprobe memlend 2> /dev/null || true
modprobe mem_carve_pattern || true	# without it, the test says what it leaves out
exec ./memlend-walks-test
