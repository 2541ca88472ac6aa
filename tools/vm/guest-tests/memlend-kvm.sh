#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A virtual machine in lent memory.
#
# arch: x86_64
# timeout: 200
exec bash /selftests/in-guest memlend-kvm.sh
