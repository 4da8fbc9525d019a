#!/usr/bin/sh
# Turns the hardware of the virtual machine into lines on its second serial port.
# Parameters on the kernel's command line: kmpkit.load=1 loads drivers by modalias first,
# kmpkit.modprobe=NAME,NAME... modules by name.

export PATH=/usr/sbin:/usr/bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
set -f
tab='	'
newline='
'

# What is in sysfs, and what was for a moment: a sound card whose codec has no driver yet shows
# the codec and takes it back.
list_aliases() {
    awk -F= -v OFS="$tab" '
        $1 == "ACTION" { action = $2 }
        $1 == "DEVPATH" { path = "/sys" $2 }
        $1 == "MODALIAS" && action == "add" { print path, substr($0, 10) }' /events
    find /sys/devices -name modalias | while read -r file; do
        alias=
        read -r alias < "$file"
        [ -n "$alias" ] && echo "${file%/modalias}$tab$alias"
    done 2>/dev/null
}

list_devices() {
    set +f
    for device in /sys/bus/*/devices/*; do
        [ -e "$device" ] || continue
        alias=
        [ -e "$device/modalias" ] && read -r alias < "$device/modalias"
        bus=${device#/sys/bus/}
        driver=
        [ -e "$device/driver" ] && driver=$(cd -P "$device/driver" && echo "${PWD##*/}")
        path=$(cd -P "$device" && echo "$PWD")
        echo "${bus%%/*}$tab${device##*/}$tab$driver$tab$path$tab$alias"
    done 2>/dev/null
    set -f
}

# modprobe has its full path as busybox would run its own.
# A device is found later than its bus, by threads of the kernel: only after ten looks in a row
# have shown neither a new alias nor a new binding is the machine at rest.
load() {
    tried=$newline
    quiet=0
    before=
    while [ $quiet -lt 10 ]; do
        list_aliases > /aliases
        new=
        while IFS=$tab read -r path alias; do
            case $tried in *"$newline$alias$newline"*) continue ;; esac
            tried=$tried$alias$newline
            new=$new$alias$newline
        done < /aliases
        if [ -n "$new" ]; then
            old=$IFS
            IFS=$newline
            /usr/sbin/modprobe --all --use-blacklist --quiet $new 2>/dev/console
            IFS=$old
        fi
        set +f
        now=$(echo /sys/bus/*/devices/* /sys/bus/*/drivers/*/*)
        set -f
        if [ -n "$new" ] || [ "$now" != "$before" ]; then quiet=0; else quiet=$((quiet + 1)); fi
        before=$now
        sleep 0.2
    done
}

: > /events
uevent >> /events &
grep -q kmpkit.load=1 /proc/cmdline && load
for name in $(sed -n 's/.*kmpkit\.modprobe=\([^ ]*\).*/\1/p' /proc/cmdline | sed 's/,/ /g'); do
    /usr/sbin/modprobe "$name" > /dev/console 2>&1
done

{
    echo begin
    echo "kernel$tab$(uname -r)"
    list_aliases | sed "s/^/alias$tab/"
    list_devices | sed "s/^/device$tab/"
    cut -d' ' -f1 /proc/modules | sed "s/^/module$tab/"
    echo end
} > /dev/ttyS1
poweroff -f
