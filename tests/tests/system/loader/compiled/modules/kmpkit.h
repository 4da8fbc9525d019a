/* What the modules have in common. */
#include <linux/module.h>

#define LONG(name) name##_that_no_kernel_before_extended_modversions_could_have_versioned_as_it_is_so_long

int kmpkit_shared(int value);
int LONG(kmpkit_symbol)(int value);

/* Names for BTF that begin or end with a digit: from a letter further on, some are none. */
struct kmpkit_data {
	int a1, a22, a333, a4444, a55555, a666666, a7777777, a88888888;
	long b1, b22, b333, b4444, b55555, b666666, b7777777, b88888888;
};

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("A module to be loaded or refused");
