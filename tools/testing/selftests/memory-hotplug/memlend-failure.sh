#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Borrowing from /dev/memlend and returning, while one allocation after the other fails.

set -euo pipefail
cd "$(dirname "$0")"

modprobe memlend 2> /dev/null || true
exec ./memlend-failure-test
