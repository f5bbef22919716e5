#!/bin/sh
# Asks the running kernel about mmap(2) before the real root is mounted. The report goes to /run/initramfs/mapprobe.json, which the
# real root keeps, and to the console: framed, every line with its number and a checksum. The boot goes on whatever becomes of it.

# In a subshell: dracut sources this file, and what is set here is nobody else's.
(
    report=/run/initramfs/mapprobe.json
    # Some machines have no console that can be opened.
    console=/dev/console
    (: > $console) 2> /dev/null || console=/dev/null

    mkdir -p ${report%/*}
    : > $report.new
    /bin/mapprobe --framed > $report.new 2> $console &
    probe=$!
    # Ends a probe that hangs; is gone a second after one that does not. On a serial line of 9600 baud the report takes 100 seconds.
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
