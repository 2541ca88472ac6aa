#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# /dev/memlend where the linear map has blocks that cannot be split.
#
# arch: arm64
# guest: --memory 3G --append rodata=on
# timeout: 900
exec bash /selftests/in-guest memlend-walks.sh memlend-failure.sh memlend.sh
