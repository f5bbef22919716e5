# Presses Tab at the end of each line of standard input, in a shell that runs on a terminal of its own as it does for a person. Prints what
# the line is then and, of zsh, below it what was offered; and an empty line.
#
#   zsh -f tab.zsh bash|zsh COMPLETIONS WORK [SETUP]
#
# COMPLETIONS is for bash a file, for zsh a folder of them; WORK an empty folder; SETUP a line for the shell. Knows nothing of any program.
emulate -R zsh
zmodload zsh/zpty zsh/zselect || exit 2
shell=$1 completions=${2:a} work=${3:a}

# Behind Tab come keys that write the line to a file. They are read when Tab has done its work.
case $shell in
bash)
    print -r -- "
        source ${(q)completions}
        bind 'set bell-style none'
        bind -x '\"\\C-xw\": printf \"%s\\n\" \"\$READLINE_LINE\" >${(q)work}/written && mv ${(q)work}/written ${(q)work}/line; READLINE_LINE='
    " >$work/setup
    zpty -b inner bash --norc --noprofile -i
    ;;
zsh)
    print -r -- "
        fpath=(${(q)completions} \$fpath)
        setopt nobeep
        LISTMAX=1000
        autoload -Uz compinit && compinit -u -D
        # All that is offered goes through compadd. With -O, -A or -D nothing is: it only says what would fit.
        compadd() {
            local word
            local -a fit
            for word; do
                case \$word in
                (-|--) break ;;
                (-[OAD]|-[a-zA-Z12][OAD]) fit=(no) ;;
                esac
            done
            if (( ! \$#fit )); then
                builtin compadd -O fit \"\$@\"
                print -rl -- \$fit >>${(q)work}/offered
            fi
            builtin compadd \"\$@\"
        }
        write-line() { print -r -- \"\$BUFFER\" >${(q)work}/written && mv ${(q)work}/written ${(q)work}/line; BUFFER= }
        zle -N write-line
        bindkey '^Xw' write-line
    " >$work/setup
    zpty -b inner zsh -f -i
    ;;
esac

# Waits for a file, and takes what the shell says meanwhile: nobody reads that.
await() {
    local said tries=0
    until [[ -e $1 ]]; do
        while zpty -rt inner said; do :; done
        (( tries++ < 500 )) || { print -ru2 -- "$shell does not answer: $2"; exit 2 }
        zselect -t 2
    done
}

print -r -- "$4" >>$work/setup
zpty -w inner "source ${(q)work}/setup; : >${(q)work}/ready"
await $work/ready 'the setup'
while IFS= read -r line; do
    rm -f $work/line $work/offered
    zpty -w -n inner "$line"$'\t\C-xw'
    await $work/line $line
    cat $work/line
    [[ ! -e $work/offered ]] || sort -u $work/offered | grep .
    print
done
zpty -d inner
