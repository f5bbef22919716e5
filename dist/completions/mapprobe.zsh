#compdef mapprobe
# Completion of mapprobe for zsh; to be installed as _mapprobe. The names of flags come from the program itself.

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
    local -a asked arch
    typeset -A opt_args
    asked=(
        '--format[how to print it]:format:(json jsonl table ktap shell macros prometheus nfd)'
        '--prefix[what names begin with]:prefix:'
        '*--path[ask about a file, directory or device too]:path:_files'
        '(--replay)--record[write every kernel call and its answer to a file]:file:_files'
        '(--record)--replay[answer from a recording]:recording:_files'
        '--thorough[also run tests that fill the address space]'
        '--reproducible[leave out what differs from run to run]'
        '--framed[print it on standard error too, in checksummed lines]'
    )
    arch=('--arch[whose numbers to use]:architecture:(x86_64 aarch64 hppa)')

    _arguments -C : $asked \
        '(- *)--help[print what can be asked]' \
        '(- *)--version[print the version]' \
        '1: :->command' \
        '*:: :->arguments'

    case $state in
    command)
        local -a commands
        commands=(
            'report:a verdict per flag'
            'sweep:the answer to every bit of the flags argument'
            'free-bits:which bits and type values are guaranteed to fail here'
            'require:which of the flags behind it are not honored'
            'list:every flag, its value, and when it came'
            'explain:what a flag promises, and how that is proved'
            'decode:which flags are in a number'
        )
        _describe -t commands command commands
        ;;
    arguments)
        case $line[1] in
        report | sweep | free-bits) _arguments $asked ;;
        require)
            _arguments $asked '--allow-inconclusive[what cannot be told counts as honored]' \
                '*:flag or flag\:path:_mapprobe_requirements'
            ;;
        list) _arguments $arch ;;
        explain) _arguments '1:flag:_mapprobe_flags' ;;
        decode) _arguments $arch '1:number: ' ;;
        esac
        ;;
    esac
}

_mapprobe "$@"
