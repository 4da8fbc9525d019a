/* Linked into the second of two kernels, whose BTF differs by it. */
#include <linux/init.h>
#include <linux/kernel.h>

struct kmpkit_of_the_second_kernel {
	int kmpkit_one, kmpkit_two, kmpkit_three;
};

static noinline int kmpkit_more_types_sum(struct kmpkit_of_the_second_kernel *more)
{
	return more->kmpkit_one + more->kmpkit_two + more->kmpkit_three;
}

static int __init kmpkit_more_types(void)
{
	struct kmpkit_of_the_second_kernel more = { 1, 2, 3 };

	return kmpkit_more_types_sum(&more) == 6 ? 0 : -1;
}
late_initcall(kmpkit_more_types);
