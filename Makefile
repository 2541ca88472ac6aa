# SPDX-License-Identifier: GPL-2.0-only
#
# Everything starts here; the work is done by the scripts in tools/.

ARCH	?= x86_64
VARIANT	?= patched
OUT	?= build/series

.PHONY: help
help:
	@echo 'linux-mhp: memory hotplug with owners, for Linux 6.12'
	@echo
	@echo '  make demo                     build a kernel, hot-add a DIMM, use it, unplug it (x86_64)'
	@echo '  make test                     the tests, on x86_64, arm64 and ppc64le'
	@echo '  make test SUITE=kunit ARCH=x86_64 VARIANT=patched'
	@echo '                                some: series, harness, kunit, selftest, vmemmap, memmap,'
	@echo '                                placement, carve, stock, debug, soak, all-variants'
	@echo '  make kernel ARCH=.. VARIANT=..  one kernel for a guest: patched, stock, debug,'
	@echo '                                checked, 64k (arm64), wide (x86_64)'
	@echo '  make bench                    stock and patched on the same work, as ratios'
	@echo '  make profile                  where stock and patched spend it, by function'
	@echo
	@echo '  make apply LINUX=DIR          the series onto your own 6.12.y tree'
	@echo '  make apply                    ... into build/linux, where it is worked on'
	@echo '  make refresh                  commits in build/linux back into patches/ and files'
	@echo '  make series                   the series as mails, in build/series'
	@echo '  make check                    is the series fit to be sent? builds every commit'
	@echo '  make deb [CONFIG=FILE]        installable kernel packages, in build/deb'
	@echo '  make clean                    removes build/ except downloads'
	@echo
	@echo 'KERNEL_TARBALL=FILE takes another 6.12.y source than the pinned Debian one.'

export KERNEL_TARBALL

.PHONY: demo test kernel bench profile apply refresh series check deb packages clean
demo:
	@tools/suites/demo

# ARCH and VARIANT narrow the tests down only if they are asked for.
test:
	@tools/suites/run '$(or $(SUITE),default)' \
		'$(if $(filter command% environment%,$(origin ARCH)),$(ARCH))' \
		'$(if $(filter command% environment%,$(origin VARIANT)),$(VARIANT))'

kernel: packages
	@tools/kernel/build '$(ARCH)' '$(VARIANT)'

bench: packages
	@tools/bench/run

profile: packages
	@tools/bench/profile

apply:
	@tools/series/apply $(if $(LINUX),--linux '$(LINUX)')

refresh:
	@tools/series/refresh

series:
	@tools/series/export '$(OUT)'

check: packages apply
	@tools/series/check

deb: packages
	@tools/kernel/deb '$(CONFIG)'

packages:
	@tools/kernel/packages

clean:
	rm -rf build/kernel build/results build/series build/initramfs build/linux-check build/deb
