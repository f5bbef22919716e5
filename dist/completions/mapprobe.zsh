#compdef mapprobe
# Completion of mapprobe for zsh; install it as _mapprobe. The names of flags come from the program
# itself.

_mapprobe_flags() {
    local -a flags
    flags=(${${(f)"$(_call_program flags $program list 2>/dev/null)"}%%[[:space:]]*})
    compadd "$@" -- ${(M)flags:#MAP_*}
}

_mapprobe_requirements() {
    if compset -P '*:'; then
        _files
    else
        _mapprobe_flags "$@"
    fi
}

_mapprobe() {
    local program=$words[1] curcontext=$curcontext state line
    local -a query report sweep arch help
    typeset -A opt_args
    query=(
        '*--path[also probe a file, directory or device]:path:_files'
        '(--replay)--record[record every system call and its result]:file:_files'
        '(--record)--replay[replay a recording]:recording:_files'
        '--thorough[also run experiments that fill the address space]'
        '--reproducible[leave out process ID and time]'
        '--framed[also print checksummed lines on standard error]'
    )
    report=(
        $query
        '--format[output format]:format:(json jsonl table ktap shell macros prometheus nfd)'
        '--prefix[beginning of the defined names]:prefix:'
    )
    sweep=($query '--format[output format]:format:(json jsonl)')
    arch=('--arch[architecture whose numbers are used]:architecture:(x86_64 aarch64 hppa)')
    help=('(- *)--help[print the help]')

    # -A: the options behind a command are completed below.
    _arguments -C -A '-*' : $report $help \
        '(- *)--version[print the version]' \
        '1: :->command' \
        '*:: :->arguments'

    case $state in
    command)
        local -a commands
        commands=(
            'report:print a verdict for every flag'
            'sweep:print the result of every bit of the flags argument'
            'free-bits:print the bits and map types that are guaranteed to fail'
            'require:check that flags are honored'
            'list:list the flags, their numbers and versions'
            'explain:explain what a flag promises, and how that is proved'
            'decode:name the flags in a number'
        )
        _describe -t commands command commands
        ;;
    arguments)
        case $line[1] in
        report) _arguments $report $help ;;
        sweep | free-bits) _arguments $sweep $help ;;
        require)
            _arguments $report $help '--allow-inconclusive[accept inconclusive flags]' \
                '--support-only[require no huge page now]' \
                '*:flag or flag\:path:_mapprobe_requirements'
            ;;
        list) _arguments $arch $help ;;
        explain) _arguments $help '1:flag:_mapprobe_flags' '*: : ' ;;
        decode) _arguments $arch $help '1:number: ' '*: : ' ;;
        esac
        ;;
    esac
}

_mapprobe "$@"
