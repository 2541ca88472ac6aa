#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Memory that hardware traces to, on bare metal.
#
# arch: ppc64le
# guest: --machine powernv9 --memory 10G --append mhp.large=4
# timeout: 400
exec bash /selftests/in-guest memtrace.sh
