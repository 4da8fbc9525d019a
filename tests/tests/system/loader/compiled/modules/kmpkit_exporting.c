/* Exports symbols, one of them with a name too long for __versions. */
#include "kmpkit.h"

int kmpkit_shared(int value)
{
	return value + 1;
}
EXPORT_SYMBOL(kmpkit_shared);

int LONG(kmpkit_symbol)(int value)
{
	return value + 2;
}
EXPORT_SYMBOL_GPL(LONG(kmpkit_symbol));
