/* Imports the symbols of kmpkit_exporting. */
#include "kmpkit.h"

static int __init kmpkit_user_init(void)
{
	pr_info("loaded, %d\n", kmpkit_shared(1) + LONG(kmpkit_symbol)(1));
	return 0;
}

static void __exit kmpkit_user_exit(void)
{
}

module_init(kmpkit_user_init);
module_exit(kmpkit_user_exit);
