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

set -l commands report sweep free-bits require list explain decode
set -l none "not __fish_seen_subcommand_from $commands"
set -l query 'not __fish_seen_subcommand_from list explain decode'
set -l report 'not __fish_seen_subcommand_from sweep free-bits list explain decode'
set -l sweep '__fish_seen_subcommand_from sweep free-bits'

complete -c mapprobe -f
complete -c mapprobe -n $none -a report -d 'print a verdict for every flag'
complete -c mapprobe -n $none -a sweep -d 'print the result of every bit of the flags argument'
complete -c mapprobe -n $none -a free-bits -d 'print the bits and map types that are guaranteed to fail'
complete -c mapprobe -n $none -a require -d 'check that flags are honored'
complete -c mapprobe -n $none -a list -d 'list the flags, their numbers and versions'
complete -c mapprobe -n $none -a explain -d 'explain what a flag promises, and how that is proved'
complete -c mapprobe -n $none -a decode -d 'name the flags in a number'
complete -c mapprobe -n $none -l version -d 'print the version'
complete -c mapprobe -l help -d 'print the help'

complete -c mapprobe -n $report -l format -x -a 'json jsonl table ktap shell macros prometheus nfd' -d 'output format'
complete -c mapprobe -n $sweep -l format -x -a 'json jsonl' -d 'output format'
complete -c mapprobe -n $report -l prefix -x -d 'beginning of the defined names'
complete -c mapprobe -n $query -l path -r -F -d 'also probe a file, directory or device'
complete -c mapprobe -n $query -l record -r -F -d 'record every system call and its result'
complete -c mapprobe -n $query -l replay -r -F -d 'replay a recording'
complete -c mapprobe -n $query -l thorough -d 'also run experiments that fill the address space'
complete -c mapprobe -n $query -l reproducible -d 'leave out process ID and time'
complete -c mapprobe -n $query -l framed -d 'also print checksummed lines on standard error'

complete -c mapprobe -n '__fish_seen_subcommand_from require' -l allow-inconclusive -d 'accept inconclusive flags'
complete -c mapprobe -n '__fish_seen_subcommand_from require' -l support-only -d 'require no huge page now'
complete -c mapprobe -n '__fish_seen_subcommand_from require' -a '(__mapprobe_requirements)'
complete -c mapprobe -n '__fish_seen_subcommand_from explain; and test (count (commandline -opc)) -eq 2' -a '(__mapprobe_flags)'
complete -c mapprobe -n '__fish_seen_subcommand_from list decode' -l arch -x -a 'x86_64 aarch64 hppa' -d 'architecture whose numbers are used'
