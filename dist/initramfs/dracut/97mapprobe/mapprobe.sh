#!/bin/sh
# Runs mapprobe before the root file system is mounted. The report goes to
# /run/initramfs/mapprobe.json, which is kept after the switch to the root file system, and to the
# console as numbered lines with checksums. The boot continues even if mapprobe fails.

# A subshell, because dracut sources this file: the variables must not leak.
(
    report=/run/initramfs/mapprobe.json
    # Opening the console fails on machines without one.
    console=/dev/console
    (: > $console) 2> /dev/null || console=/dev/null

    mkdir -p ${report%/*}
    : > $report.new
    /bin/mapprobe --framed > $report.new 2> $console &
    probe=$!
    # Kills a probe that hangs. Exits within a second after the probe. On a serial line of 9600 baud
    # the report takes 100 seconds.
    {
        left=240
        while [ -e $report.new ] && [ $left -gt 0 ]; do
            sleep 1
            left=$((left - 1))
        done
        [ ! -e $report.new ] || kill -9 $probe
    } > /dev/null 2>&1 &
    if wait $probe; then
        mv $report.new $report
    else
        echo "mapprobe: no report, it ended with $?" > $console
        mv $report.new $report.failed
    fi
)
