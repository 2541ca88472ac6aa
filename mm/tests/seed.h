/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What random tests start from: a parameter of the module that includes this, and a
 * line in the log of each test to set it to when a run is to be repeated
 */
#ifndef _MM_TESTS_SEED_H
#define _MM_TESTS_SEED_H

#include <kunit/test.h>
#include <linux/moduleparam.h>
#include <linux/prandom.h>
#include <linux/random.h>

static uint seed;
module_param(seed, uint, 0444);
MODULE_PARM_DESC(seed, "Seed of the random tests; 0 takes another one each time");

static inline void seed_random(struct kunit *test, struct rnd_state *rnd)
{
	u32 used = seed ?: get_random_u32();

	kunit_info(test, "seed %u\n", used);
	prandom_seed_state(rnd, used);
}

static inline unsigned long below(struct rnd_state *rnd, unsigned long limit)
{
	return prandom_u32_state(rnd) % limit;
}

#endif /* _MM_TESTS_SEED_H */
