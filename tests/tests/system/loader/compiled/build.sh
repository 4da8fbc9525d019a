#!/bin/sh
# Compiles two kernels from one tree of sources: the second has more types in its BTF.
#
#   build.sh ARCHIVE INPUT TOP
#
# INPUT has kernel.config and modules/. TOP gets a directory for each kernel, first and second, as
# packages lay it out, and key.pem, which signs modules for both.
set -eu

archive=$1
input=$2
top=$3
jobs=$(nproc)

mkdir "$top/linux"
cd "$top/linux"
tar -xf "$archive" --strip-components=1
cp -r "$input/modules" drivers/misc/kmpkit
echo 'obj-y += kmpkit/' >> drivers/misc/Makefile

{
	cat "$input/kernel.config"
	echo 'CONFIG_LOCALVERSION="-kmpkit"'
} > kernel.config
make KCONFIG_ALLCONFIG=kernel.config allnoconfig
# Kconfig drops what it does not know or whose dependencies are not met.
if grep -E '^(# )?CONFIG_' kernel.config | grep -vxFf .config; then
	echo 'Kconfig did not take these lines of kernel.config' >&2
	exit 1
fi

# keep DIRECTORY: the image and the modules, signed.
keep() {
	release=$(make -s kernelrelease)
	modules=$top/$1/lib/modules/$release
	mkdir -p "$modules/kernel"
	cp arch/x86/boot/bzImage "$modules/vmlinuz"
	cp System.map "$modules"
	cp .config "$modules/config"
	cp Module.symvers "$modules/symvers"
	for module in drivers/misc/kmpkit/*.ko; do
		cp "$module" "$modules/kernel"
		scripts/sign-file sha256 certs/signing_key.pem certs/signing_key.x509 "$modules/kernel/${module##*/}"
	done
}

make -j "$jobs" bzImage modules
keep first
make -j "$jobs" KMPKIT_MORE_TYPES=y bzImage modules
keep second
cp certs/signing_key.pem "$top/key.pem"
rm -rf "$top/linux"
