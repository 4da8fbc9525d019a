/* Imports a symbol of the kernel image. */
#include "kmpkit.h"

static struct kmpkit_data data;

static noinline int kmpkit_plain_sum(struct kmpkit_data *data)
{
	return data->a1 + data->b88888888;
}

static int __init kmpkit_plain_init(void)
{
	pr_info("loaded, %d\n", kmpkit_plain_sum(&data));
	return 0;
}

static void __exit kmpkit_plain_exit(void)
{
}

module_init(kmpkit_plain_init);
module_exit(kmpkit_plain_exit);
