#!/bin/bash
# Adds mapprobe to an initramfs of dracut. Enable it with dracut --add mapprobe, or with
# add_dracutmodules+=" mapprobe " in a file in /etc/dracut.conf.d.

# called by dracut
check() {
    # Only on request.
    return 255
}

# called by dracut
depends() {
    return 0
}

# called by dracut
install() {
    inst_simple /usr/bin/mapprobe /bin/mapprobe
    inst_hook pre-mount 20 "$moddir/mapprobe.sh"
}
