#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A virtio-mem device that grows and shrinks, and loses its driver.
#
# arch: x86_64 arm64
# guest: --memory 2G --virtio-mem 2G
# timeout: 200
exec bash /selftests/in-guest virtio-mem-cycle.sh virtio-mem-unbind.sh
