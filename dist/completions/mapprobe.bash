# Completion of mapprobe for bash. The names of flags come from the program itself.

# Prints the flags that the program on the command line lists.
_mapprobe_flags() {
    local program=${COMP_WORDS[0]} name rest
    "${program/#\~\//$HOME/}" list 2>/dev/null | while read -r name rest; do
        [[ $name != MAP_* ]] || printf '%s\n' "$name"
    done
}

# Completes files and directories that begin with $1, each with $2 before it.
_mapprobe_files() {
    local file
    compopt -o filenames 2>/dev/null
    while IFS= read -r file; do
        if [[ -n $2 && -d $file ]]; then
            # Bash does not recognize the directory behind the prefix and would append a space.
            file+=/
            compopt -o nospace 2>/dev/null
        fi
        COMPREPLY+=("$2$file")
    done < <(compgen -f -- "$1")
}

_mapprobe() {
    local cur=${2-${COMP_WORDS[COMP_CWORD]}} prev=${COMP_WORDS[COMP_CWORD - 1]}
    local word command= value= at
    local formats='json jsonl table ktap shell macros prometheus nfd'
    local common='--format --prefix --path --record --replay --thorough --reproducible --framed'
    COMPREPLY=()

    # The command is the first argument that is neither an option nor the value of one.
    for ((at = 1; at < COMP_CWORD; at++)); do
        word=${COMP_WORDS[at]}
        if [[ -n $value ]]; then
            value=
        elif [[ $word == --@(format|prefix|path|record|replay|arch) ]]; then
            value=yes
        elif [[ $word != -* ]]; then
            command=$word
            break
        fi
    done

    case $command in
    sweep | free-bits) formats='json jsonl' ;;
    esac
    case $prev in
    --format) COMPREPLY=($(compgen -W "$formats" -- "$cur")) ;;
    --arch) COMPREPLY=($(compgen -W 'x86_64 aarch64 hppa' -- "$cur")) ;;
    --path | --record | --replay) _mapprobe_files "$cur" '' ;;
    esac
    [[ $prev != --@(format|prefix|path|record|replay|arch) ]] || return 0

    if [[ $cur == -* ]]; then
        case $command in
        '') common+=' --version' ;;
        sweep | free-bits) common=${common/--prefix /} ;;
        require) common+=' --allow-inconclusive --support-only' ;;
        list | decode) common=--arch ;;
        explain) common= ;;
        esac
        COMPREPLY=($(compgen -W "$common --help" -- "$cur"))
        return
    fi

    case $command in
    '') COMPREPLY=($(compgen -W 'report sweep free-bits require list explain decode' -- "$cur")) ;;
    explain) ((COMP_CWORD > at + 1)) || COMPREPLY=($(compgen -W '$(_mapprobe_flags)' -- "$cur")) ;;
    require)
        # COMP_WORDBREAKS decides whether FLAG:PATH is one word or three.
        if [[ $cur == : || ${COMP_WORDS[COMP_CWORD]} == : ]]; then
            _mapprobe_files '' ''
        elif [[ $prev == : ]]; then
            _mapprobe_files "$cur" ''
        elif [[ $cur == *:* ]]; then
            _mapprobe_files "${cur#*:}" "${cur%%:*}:"
        else
            COMPREPLY=($(compgen -W '$(_mapprobe_flags)' -- "$cur"))
        fi
        ;;
    esac
}

complete -F _mapprobe mapprobe
