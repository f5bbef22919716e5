# Completion of mapprobe for bash. The names of flags come from the program itself.

# The flags that the program on the command line knows.
_mapprobe_flags() {
    local program=${COMP_WORDS[0]} name rest
    "${program/#\~\//$HOME/}" list 2>/dev/null | while read -r name rest; do
        [[ $name != MAP_* ]] || printf '%s\n' "$name"
    done
}

# Files and directories that begin with $1; $2 is put before each.
_mapprobe_files() {
    local file
    compopt -o filenames 2>/dev/null
    while IFS= read -r file; do
        if [[ -n $2 && -d $file ]]; then
            # To bash this is no name of a directory, so it would not go on below it.
            file+=/
            compopt -o nospace 2>/dev/null
        fi
        COMPREPLY+=("$2$file")
    done < <(compgen -f -- "$1")
}

_mapprobe() {
    local cur=${2-${COMP_WORDS[COMP_CWORD]}} prev=${COMP_WORDS[COMP_CWORD - 1]} word command= value= at
    local formats='json jsonl table ktap shell macros prometheus nfd'
    local common='--format --prefix --path --record --replay --thorough --reproducible --framed'
    COMPREPLY=()

    # The command is the first word that neither is an option nor belongs to one.
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

    case $prev in
    --format) COMPREPLY=($(compgen -W "$formats" -- "$cur")) ;;
    --arch) COMPREPLY=($(compgen -W 'x86_64 aarch64 hppa' -- "$cur")) ;;
    --path | --record | --replay) _mapprobe_files "$cur" '' ;;
    esac
    [[ $prev != --@(format|prefix|path|record|replay|arch) ]] || return 0

    if [[ $cur == -* ]]; then
        case $command in
        '') common+=' --help --version' ;;
        require) common+=' --allow-inconclusive' ;;
        list | decode) common=--arch ;;
        explain) common= ;;
        esac
        COMPREPLY=($(compgen -W "$common" -- "$cur"))
        return
    fi

    case $command in
    '') COMPREPLY=($(compgen -W 'report sweep free-bits require list explain decode' -- "$cur")) ;;
    explain) ((COMP_CWORD > at + 1)) || COMPREPLY=($(compgen -W '$(_mapprobe_flags)' -- "$cur")) ;;
    require)
        # FLAG:PATH is one word or three, as COMP_WORDBREAKS has it.
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
