# Completion of mapprobe for fish. The names of flags come from the program itself.

function __mapprobe_flags
    set -l words (commandline -opc)
    $words[1] list 2>/dev/null | string match -r '^MAP_\w+'
end

function __mapprobe_requirements
    set -l parts (string split -m 1 : -- (commandline -ct))
    if set -q parts[2]
        __fish_complete_path $parts[2] | string replace -r '^' "$parts[1]:"
    else
        __mapprobe_flags
    end
end

set -l asking report sweep free-bits
set -l commands $asking require list explain decode
set -l none "not __fish_seen_subcommand_from $commands"
set -l run "not __fish_seen_subcommand_from list explain decode"

complete -c mapprobe -f
complete -c mapprobe -n $none -a report -d 'a verdict per flag'
complete -c mapprobe -n $none -a sweep -d 'the answer to every bit of the flags argument'
complete -c mapprobe -n $none -a free-bits -d 'which bits and type values are guaranteed to fail here'
complete -c mapprobe -n $none -a require -d 'which of the flags behind it are not honored'
complete -c mapprobe -n $none -a list -d 'every flag, its value, and when it came'
complete -c mapprobe -n $none -a explain -d 'what a flag promises, and how that is proved'
complete -c mapprobe -n $none -a decode -d 'which flags are in a number'
complete -c mapprobe -n $none -l help -d 'print what can be asked'
complete -c mapprobe -n $none -l version -d 'print the version'

complete -c mapprobe -n $run -l format -x -a 'json jsonl table ktap shell macros prometheus nfd' -d 'how to print it'
complete -c mapprobe -n $run -l prefix -x -d 'what names begin with'
complete -c mapprobe -n $run -l path -r -F -d 'ask about a file, directory or device too'
complete -c mapprobe -n $run -l record -r -F -d 'write every kernel call and its answer to a file'
complete -c mapprobe -n $run -l replay -r -F -d 'answer from a recording'
complete -c mapprobe -n $run -l thorough -d 'also run tests that fill the address space'
complete -c mapprobe -n $run -l reproducible -d 'leave out what differs from run to run'
complete -c mapprobe -n $run -l framed -d 'print it on standard error too, in checksummed lines'

complete -c mapprobe -n '__fish_seen_subcommand_from require' -l allow-inconclusive -d 'what cannot be told counts as honored'
complete -c mapprobe -n '__fish_seen_subcommand_from require' -a '(__mapprobe_requirements)'
complete -c mapprobe -n '__fish_seen_subcommand_from explain; and test (count (commandline -opc)) -eq 2' -a '(__mapprobe_flags)'
complete -c mapprobe -n '__fish_seen_subcommand_from list decode' -l arch -x -a 'x86_64 aarch64 hppa' -d 'whose numbers to use'
