#!/usr/bin/sh
# Tries to load modules, and prints what the kernel says of each on the second serial port. A trial
# is a directory of modules, of which the last counts and the others must load before. With a file
# "enforce" in it the kernel refuses unsigned modules from then on.

export PATH=/usr/sbin:/usr/bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
dmesg -n 1

{
    echo begin
    for trial in /trials/*; do
        [ -e "$trial/enforce" ] && echo 1 > /sys/module/module/parameters/sig_enforce
        for module in "$trial"/*.ko; do
            dmesg -c > /dev/null
            insmod "$module" 2> /dev/null
            status=$?
        done
        echo "trial ${trial##*.} $status"
        dmesg -r
        echo "end of trial"
        while read -r name rest; do rmmod "$name"; done < /proc/modules
    done
    echo end
} > /dev/ttyS1
poweroff -f
