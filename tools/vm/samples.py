# SPDX-License-Identifier: GPL-2.0-only
"""Console lines and KTAP texts whose verdict is known, for tools/vm/selftest."""

BAD_LINES = (
    "[    1.020304] WARNING: CPU: 1 PID: 54 at mm/memory_hotplug.c:1183 online_pages+0x1/0x2",
    "[    1.020304][   T54] WARNING: CPU: 1 PID: 54 at mm/sparse.c:1 f+0x1/0x2",
    "WARNING: possible circular locking dependency detected",
    "[   10.1] WARNING: suspicious RCU usage",
    "[   10.000001] WARNING: inconsistent lock state",
    "[   10.000001] [ BUG: Invalid wait context ]",
    "[    3.000001] BUG: KASAN: slab-use-after-free in f+0x1/0x2",
    "[    3.000001] BUG: unable to handle page fault for address: ffffc90000000000",
    "[    3.000001] BUG: Bad page state in process bash  pfn:12345",
    "[    3.000001] BUG: sleeping function called from invalid context at mm/util.c:1",
    "[    3.000001] watchdog: BUG: soft lockup - CPU#0 stuck for 22s! [bash:54]",
    "[    3.000001] watchdog: CPU 1 detected hard LOCKUP on other CPUs 0",
    "[    3.000001] BUG kmalloc-64 (Not tainted): Poison overwritten",
    "[    3.000001] kernel BUG at mm/memory_hotplug.c:1!",
    "[    3.000001] Oops: general protection fault, probably for non-canonical address 0x1: 0000 [#1]",
    "[    3.000001] Oops: Kernel access of bad area, sig: 11 [#1]",
    "[    3.000001] Internal error: Oops: 0000000096000004 [#1] SMP",
    "[    3.000001] Internal error: Oops - BUG: 00000000f2000800 [#1] SMP",
    "[    3.000001] Unable to handle kernel NULL pointer dereference at virtual address 0",
    "[    3.000001] Kernel panic - not syncing: Attempted to kill init! exitcode=0x00000100",
    "[    3.000001] UBSAN: shift-out-of-bounds in mm/sparse.c:1:2",
    "[  130.000001] INFO: task bash:54 blocked for more than 120 seconds.",
    "[    3.000001] INFO: trying to register non-static key.",
    "[   30.000001] rcu: INFO: rcu_sched self-detected stall on CPU",
    "[   30.000001] rcu: INFO: rcu_preempt detected expedited stalls on CPUs/tasks: { 1-.... }",
    "[   40.000001] kmemleak: 3 new suspected memory leaks (see /sys/kernel/debug/kmemleak)",
    "[   40.000001] kmemleak: Freeing unknown object at 0xffff888000000000",
    "[   40.000001] bash: page allocation failure: order:4, mode:0xcc0(GFP_KERNEL)",
)

GOOD_LINES = (
    "[    0.000000] Command line: console=ttyS0 panic=-1 panic_on_warn=1 debug_bug=BUG:",
    "[    0.714435] PCI: Using host bridge windows from ACPI; if necessary, use \"pci=nocrs\" "
    "and report a bug",
    "[    0.100000] kasan: KernelAddressSanitizer initialized (generic)",
    "[    0.100000] Spectre V2 : WARNING: Unprivileged eBPF is enabled with eIBRS on",
    "[    0.100000] kmemleak: Kernel memory leak detector initialized (mem pool available: 31000)",
    "[   40.000001] kmemleak: Cannot allocate a scan area, scanning the full object",
    "[    0.100000] rcu: \tRCU callback double-/use-after-free debug is enabled.",
    "[    0.100000] rcu: RCU calculated value of scheduler-enlistment delay is 25 jiffies.",
    "[    0.152249] WARNING: nvram corruption detected: 0-length partition",
    "[    5.645995] page dumped because: unmovable page",
    "[    5.645995] lkdtm: Performing direct entry WARNING",
    "[    5.645995] FAULT_INJECTION: forcing a failure.",
    "[    5.645995]     # test_warning: Oops is only a word here",
    "[    5.645995] Offlined Pages 32768",
    "[    5.645995] memory memory32: Failed to offline memory",
    "/init: line 1: warning: setlocale: cannot change locale",
)

# name, whether it passes, totals, text
KTAP = (
    ("two tests", True, "2 passed, 0 failed, 0 skipped",
     "TAP version 13\n1..2\nok 1 a\nok 2 - b\n# Totals: pass:2\n"),
    ("a skip with a reason", True, "1 passed, 0 failed, 2 skipped",
     "KTAP version 1\n1..3\nok 1 a\nok 2 b # SKIP no DIMM\nok 3 c: no DIMM # SKIP\n"),
    ("a skip without a reason", False, "1 passed, 1 failed, 0 skipped",
     "TAP version 13\n1..2\nok 1 a\nok 2 b # SKIP\n"),
    ("all skipped with a reason", True, "0 passed, 0 failed, 1 skipped",
     "TAP version 13\n1..0 # SKIP no memory to offline\n"),
    ("a test that fails", False, "1 passed, 1 failed, 0 skipped",
     "TAP version 13\n1..2\nok 1 a\nnot ok 2 b\n"),
    ("a plan cut short", False, "2 passed, 1 failed, 0 skipped",
     "TAP version 13\n1..3\nok 1 a\nok 2 b\n"),
    ("more than planned", False, "2 passed, 1 failed, 0 skipped",
     "TAP version 13\n1..1\nok 1 a\nok 2 b\n"),
    ("a number left out", False, "2 passed, 1 failed, 0 skipped",
     "TAP version 13\n1..2\nok 1 a\nok 3 b\n"),
    ("no plan", False, "1 passed, 1 failed, 0 skipped",
     "TAP version 13\nok 1 a\n"),
    ("no test", False, "0 passed, 1 failed, 0 skipped",
     "KTAP version 1\n1..0\n"),
    ("nothing at all", False, "0 passed, 1 failed, 0 skipped", "hello\n"),
    ("bailing out", False, "1 passed, 1 failed, 0 skipped",
     "TAP version 13\n1..1\nok 1 a\nBail out! no more\n"),
    ("KUnit in a kernel's log", True, "4 passed, 0 failed, 1 skipped",
     "[    1.000000] KTAP version 1\n"
     "[    1.000000] 1..1\n"
     "[    1.000000]     KTAP version 1\n"
     "[    1.000000]     # Subtest: suite\n"
     "[    1.000000]     # module: zone_extents_kunit\n"
     "[    1.000000]     1..4\n"
     "[    1.000000]     ok 1 a\n"
     "[    1.000000] tsc: a line of something else\n"
     "[    1.000000]         KTAP version 1\n"
     "[    1.000000]         # Subtest: parameters\n"
     "[    1.000000]         ok 1 one\n"
     "[    1.000000]         ok 2 two\n"
     "[    1.000000]     ok 2 parameters\n"
     "[    1.000000]     ok 3 b # SKIP filtered out\n"
     "[    1.000000]     # c.speed: slow\n"
     "[    1.000000]     ok 4 c\n"
     "[    1.000000] # suite: pass:4 fail:0 skip:1 total:5\n"
     "[    1.000000] ok 1 suite\n"),
    ("KUnit with a failing case", False, "1 passed, 1 failed, 0 skipped",
     "KTAP version 1\n1..1\n    KTAP version 1\n    # Subtest: suite\n    1..2\n"
     "    ok 1 a\n    not ok 2 b\nnot ok 1 suite\n"),
    ("KUnit with a failing suite of passing cases", False, "1 passed, 1 failed, 0 skipped",
     "KTAP version 1\n1..1\n    KTAP version 1\n    # Subtest: suite\n    1..1\n"
     "    ok 1 a\nnot ok 1 suite\n"),
    ("KUnit cut off in a suite", False, "1 passed, 2 failed, 0 skipped",
     "KTAP version 1\n1..2\n    KTAP version 1\n    # Subtest: suite\n    1..2\n    ok 1 a\n"),
    ("KUnit cut off in parameters", False, "1 passed, 2 failed, 0 skipped",
     "KTAP version 1\n1..1\n    KTAP version 1\n    # Subtest: suite\n    1..1\n"
     "        KTAP version 1\n        # Subtest: parameters\n        ok 1 one\n"),
)
