/* Says that it is a live patch. */
#include "kmpkit.h"

MODULE_INFO(livepatch, "Y");

static int __init kmpkit_livepatch_init(void)
{
	return 0;
}

static void __exit kmpkit_livepatch_exit(void)
{
}

module_init(kmpkit_livepatch_init);
module_exit(kmpkit_livepatch_exit);
