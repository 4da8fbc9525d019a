/*
 * What modpost appends to a module (linux/scripts/mod/modpost.c), with the macros of
 * linux/include/linux/export-internal.h. LONG is a name of more than 200 letters. REF is how the
 * architecture refers to a symbol in a table. FLAGS: exports have flags, not tables by licence.
 */
#define STRING2(x) #x
#define STRING(x) STRING2(x)

#define KSYMTAB(name, ns, gpl) \
	asm("	.section \"__ksymtab_strings\",\"aMS\",%progbits,1\n" \
	    "__kstrtab_" #name ":\n" \
	    "	.asciz \"" #name "\"\n" \
	    "__kstrtabns_" #name ":\n" \
	    "	.asciz \"" ns "\"\n" \
	    "	.previous\n" \
	    "	.section \"___ksymtab" gpl "+" #name "\",\"a\"\n" \
	    "	.balign 4\n" \
	    "__ksymtab_" #name ":\n" \
	    "	.long " REF(name) "\n" \
	    "	.long " REF(__kstrtab_##name) "\n" \
	    "	.long " REF(__kstrtabns_##name) "\n" \
	    "	.previous\n")

#if defined(ABSOLUTE_CRCS)
/* Before 5.19: genksyms wrote `__crc_<name> = <crc>;` for the linker, or nothing. */
#define CRC(name, crc, gpl) \
	asm("	.section \"___kcrctab" gpl "+" #name "\",\"a\"\n" \
	    "	.weak __crc_" #name "\n" \
	    "	.long __crc_" #name "\n" \
	    "	.previous\n")
#elif defined(DISTANT_CRCS)
/* The same with MODULE_REL_CRCS: the CRC is in .rodata, and the table has the distance to it. */
#define CRC(name, crc, gpl) \
	asm("	.section \".rodata\",\"a\"\n" \
	    "	.balign 4\n" \
	    "__crc_" #name ":\n" \
	    "	.long " #crc "\n" \
	    "	.previous\n" \
	    "	.section \"___kcrctab" gpl "+" #name "\",\"a\"\n" \
	    "	.long __crc_" #name " - .\n" \
	    "	.previous\n")
#else
#define CRC(name, crc, gpl) \
	asm("	.section \"___kcrctab" gpl "+" #name "\",\"a\"\n" \
	    "	.balign 4\n" \
	    "__crc_" #name ":\n" \
	    "	.long " #crc "\n" \
	    "	.previous\n")
#endif

#define SYMBOL_FLAGS(name, flags) \
	asm("	.section \"___kflagstab+" #name "\",\"a\"\n" \
	    "__flags_" #name ":\n" \
	    "	.byte " #flags "\n" \
	    "	.previous\n")

#define USED(name) __attribute__((used, section(name)))

extern int plain_import(void), weak_import(void) __attribute__((weak)), LONG(void);

int zulu(void) { return plain_import(); }
int alpha_gpl(void) { return weak_import ? weak_import() : LONG(); }
int mike = 1;

#ifdef FLAGS
KSYMTAB(zulu, "", "");
SYMBOL_FLAGS(zulu, 0x00);
KSYMTAB(alpha_gpl, "module:one,two-*", "");
SYMBOL_FLAGS(alpha_gpl, 0x01);
KSYMTAB(mike, "SPACE", "");
SYMBOL_FLAGS(mike, 0x00);
CRC(zulu, 0x11111111, "");
CRC(alpha_gpl, 0x22222222, "");
CRC(mike, 0x00000000, "");
#else
KSYMTAB(zulu, "", "");
KSYMTAB(alpha_gpl, "module:one,two-*", "_gpl");
KSYMTAB(mike, "SPACE", "");
CRC(zulu, 0x11111111, "");
CRC(alpha_gpl, 0x22222222, "_gpl");
CRC(mike, 0x00000000, "");
#endif

static const char info[] USED(".modinfo") =
	"name=compiled\0"
	"vermagic=7.2.0-x SMP mod_unload modversions \0"
	"license=GPL\0"
	"import_ns=SPACE\0"
	"import_ns=OTHER";

struct module { char state[200]; };
struct module this_module USED(".gnu.linkonce.this_module");

#ifdef BASIC
struct modversion_info { unsigned long crc; char name[64 - sizeof(unsigned long)]; };
static const struct modversion_info versions[] USED("__versions") = {
	{ 0x33333333, "module_layout" },
	{ 0x44444444, "plain_import" },
	{ 0x55555555, "weak_import" },
};
#endif

static const unsigned ext_crcs[] USED("__version_ext_crcs") = {
	0x33333333,
	0x44444444,
	0x66666666,
	0x55555555,
};
static const char ext_names[] USED("__version_ext_names") =
	"module_layout\0"
	"plain_import\0"
	STRING(LONG) "\0"
	"weak_import\0"
;
