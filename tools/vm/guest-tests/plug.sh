#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# DIMMs plugged in, used, unplugged, also while in use.
#
# arch: x86_64 arm64 ppc64le
# guest: --memory 8G --nodes 2 --qemu=-numa --qemu=node,nodeid=2
# timeout: 600
exec bash /selftests/in-guest hotplug-cycle.sh unplug-in-use.sh unplug-kernel-memory.sh
