/* Imports a symbol that nobody exports, and does without. */
#include "kmpkit.h"

extern int kmpkit_absent(void) __attribute__((weak));

static int __init kmpkit_weak_init(void)
{
	pr_info("loaded, %d\n", kmpkit_absent ? kmpkit_absent() : 0);
	return 0;
}

static void __exit kmpkit_weak_exit(void)
{
}

module_init(kmpkit_weak_init);
module_exit(kmpkit_weak_exit);
