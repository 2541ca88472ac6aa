#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What /dev/memlend promises to user space; with mhp.seconds=N on the kernel command line,
# N seconds of borrowing and returning at random under memory load.

set -euo pipefail
cd "$(dirname "$0")"
# shellcheck source=mhp_lib.sh
. ./mhp_lib.sh

modprobe memlend 2> /dev/null || true
mhp_setting seconds ""
# shellcheck disable=SC2086 # none, if there is no such setting
exec ./memlend-test $REPLY
