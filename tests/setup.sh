#!/bin/sh
# Installs what the tests and the demonstration need on Debian, saying what; without root, prints
# the command and stops.
set -eu

packages="binutils busybox-static bzip2 ca-certificates chromium cpio createrepo-c debian-archive-keyring dnf
	g++ gcc git gzip ipxe-qemu kmod libc6-dev mmdebstrap openssl qemu-system-x86 rpm rpmlint seabios strace time xz-utils zstd zypper"

missing=
for package in $packages; do
	status=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2> /dev/null || true)
	[ "$status" = installed ] || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

install="apt-get install -y --no-install-recommends$missing"
if [ "$(id -u)" != 0 ]; then
	echo "Packages are missing. As root, run: apt-get update && $install" >&2
	exit 1
fi
echo "Installing:$missing"
apt-get update -q
DEBIAN_FRONTEND=noninteractive $install
