# What splitbrain runs as root on a machine whose nodes it did not start.
#
#   sh -c THIS keeper VERB OWNER [ARGUMENT...]
#
# Everything is in one folder per network namespace, on a file system that a reboot empties, as
# it empties the firewall. Before anything is changed, the folder's journal, a script, says how
# to take it out. A guard, a process of its own, runs the journal if the owner falls silent.
#
# Exit codes: 0 done, 3 another owner holds the machine, 4 this owner does not hold it any more,
# 5 refused by a program (said on standard error).
set -u
umask 077
LC_ALL=C
PATH=$PATH:/usr/sbin:/sbin
export LC_ALL PATH

verb=$1
owner=$2
shift 2
namespace=$(readlink /proc/self/ns/net)
namespace=${namespace#*[}
root=/run/splitbrain
here=$root/${namespace%]}
# Seconds of silence after which the guard takes everything out.
silence=25

fail() {
    echo "$2" >&2
    exit "$1"
}
# What the shell can do by itself starts no process.
first_line() { read -r line <"$1" && echo "$line"; } 2>/dev/null
seconds() { read -r up _ </proc/uptime && echo "${up%%.*}"; }
# Seconds since the owner was heard; none yet is no silence.
silent_for() {
    heard=$(first_line "$here/heard") || heard=$(seconds)
    echo $(($(seconds) - heard))
}
hear() { seconds >"$here/heard.new" && mv "$here/heard.new" "$here/heard"; }
# One verb at a time; the lock ends with the process.
lock() {
    exec 9>"$here/lock" || fail 4 "nobody holds this machine any more"
    flock 9
}
# Holds the lock as the owner, or ends.
as_owner() {
    [ -d "$here" ] || fail 4 "nobody holds this machine any more"
    lock
    held_by=$(first_line "$here/owner")
    [ "$held_by" = "$owner" ] || fail 4 "it is held by ${held_by:-nobody}"
    # A cut should be quick: what takes time comes after it.
    [ "$verb" = apply ] || hear || fail 5 "$here cannot be written"
}
families() {
    echo iptables
    # Without IPv6, or without a firewall for it, there is nothing to cut.
    if [ -e /proc/net/if_inet6 ] && ip6tables -w -S INPUT >/dev/null 2>&1; then echo ip6tables; fi
}
# The rules of a family without counters and dates.
rules_of() { "$1-save" -t filter 2>/dev/null | sed -e '/^#/d' -e 's/\[[0-9]*:[0-9]*\]//'; }
ours_left() {
    for family in $(families); do
        rules_of "$family" | grep -q SPLITBRAIN && return 0
    done
    return 1
}
# Whether a guard watches over the machine. One that is just taken has none yet.
is_guarded() {
    guard=$(first_line "$here/guard") || [ "$(silent_for)" -le 5 ] || return 1
    [ -z "$guard" ] || grep -qF "$here/keeper" "/proc/$guard/cmdline" 2>/dev/null
}
# Runs the journal; fails, and keeps it, if something of ours is still there.
undo() {
    [ ! -e "$here/journal" ] || sh "$here/journal"
    if ours_left; then return 1; fi
    for family in $(families); do
        rules_of "$family" | cmp -s - "$here/before.$family" ||
            echo "$family: rules of others have changed since we came"
    done
    is_guarded || guard=
    rm -rf "$here"
    rmdir "$root" 2>/dev/null
    # It would end by itself within a second. It leads a group of its own.
    [ -z "$guard" ] || [ "$verb" = guard ] || kill -- "-$guard"
    return 0
}

write_journal() {
    cat >"$here/journal" <<'JOURNAL'
# How to take out what splitbrain put in.
for family in iptables ip6tables; do
    for chain in INPUT OUTPUT; do
        while $family -w -D $chain -j SPLITBRAIN 2>/dev/null; do
            echo "$family -D $chain -j SPLITBRAIN"
        done
    done
    if $family -w -F SPLITBRAIN 2>/dev/null && $family -w -X SPLITBRAIN; then
        echo "$family -F SPLITBRAIN; $family -X SPLITBRAIN"
    fi
done
# Deletes a table that was not there before, if nobody has put anything into it since.
without_table() {
    "$1-save" -t filter 2>&1 | grep -v '^#' | grep -qv '^\*filter$\|^:[A-Z]* ACCEPT \|^COMMIT$' ||
        printf '*filter\nCOMMIT\n' | "$1-restore" -w
}
# Gives the processes of a group back to where each was and removes the group.
give_back() {
    for attempt in 1 2 3 4 5 6 7 8 9 10; do
        for process in $(cat "$1/cgroup.procs" 2>/dev/null); do
            origin=$(sed -n "s/^$process //p" "$3" | head -n 1)
            echo "$process" >"${origin:-$2}/cgroup.procs" 2>/dev/null &&
                echo "process $process back to ${origin:-$2}"
        done
        rmdir "$1" 2>/dev/null
        [ -d "$1" ] || return 0
        sleep 0.1
    done
}
JOURNAL
    for family in iptables ip6tables; do
        # Asked for by name, a table that is not there would be printed, too.
        "$family-save" 2>&1 | grep -q '^\*filter\|incompatible' ||
            echo "without_table $family" >>"$here/journal"
    done
    [ -s "$here/journal" ]
}

case $verb in
# Takes the machine for this owner. The keeper itself comes on standard input, for the guard.
claim)
    mkdir -p "$root" || fail 5 "$root cannot be made"
    if ! mkdir "$here" 2>/dev/null; then
        # Whoever goes takes an empty root along.
        [ -d "$root" ] || fail 5 "$root was taken away at this moment; try again"
        ! is_guarded || fail 3 "$(first_line "$here/owner")"
        # The guard would have seen to it; it was killed.
        lock
        undo >/dev/null || fail 5 "what an earlier run left in $here cannot be taken out"
        mkdir -p "$root" && mkdir "$here" || fail 3 "$(first_line "$here/owner")"
    fi
    hear && echo "$owner" >"$here/owner" && cat >"$here/keeper" ||
        fail 5 "$here cannot be written"
    lock
    # First of all: asking for a rule may make a table that was not there.
    for family in iptables ip6tables; do rules_of "$family" >"$here/before.$family"; done
    if grep -q SPLITBRAIN "$here"/before.*; then
        rm -rf "$here"
        fail 5 "a chain SPLITBRAIN is there that no journal on this machine knows of"
    fi
    write_journal || fail 5 "$here/journal cannot be written"
    setsid sh "$here/keeper" guard "$owner" </dev/null >/dev/null 2>&1 9>&- &
    echo $! >"$here/guard"
    families
    ;;
beat) as_owner ;;
# NODE PROCESS...: puts processes into a group of their own below that of the first one. Prints
# the folder of the group and its path for the firewall.
group)
    as_owner
    node=$1
    shift
    mount=$(sed -n 's/^[^ ]* \([^ ]*\) cgroup2 .*/\1/p' /proc/mounts | head -n 1)
    [ -n "$mount" ] || fail 5 "no cgroup2 is mounted: mount -t cgroup2 none /sys/fs/cgroup"
    group_of() { sed -n 's/^0:://p' "/proc/$1/cgroup" | sed 's:/$::'; }
    origin=$(group_of "$1") || fail 5 "there is no process $1"
    group=$origin/splitbrain-${here##*/}-$node
    if ! grep -qF "give_back '$mount$group'" "$here/journal"; then
        echo "give_back '$mount$group' '$mount$origin' '$here/origins'" >>"$here/journal" ||
            fail 5 "$here/journal cannot be written"
        mkdir "$mount$group" || fail 5 "$mount$group cannot be made"
    fi
    for process in "$@"; do
        [ "$(group_of "$process")" != "$group" ] || continue
        echo "$process $mount$(group_of "$process")" >>"$here/origins"
        # A process may have ended meanwhile.
        echo "$process" >"$mount$group/cgroup.procs" || [ ! -d "/proc/$process" ] ||
            fail 5 "process $process cannot be put into $mount$group"
    done
    echo "$mount$group"
    echo "${group#/}"
    ;;
# IPV4-RULES IPV6-RULES: gives both to iptables-restore.
apply)
    as_owner
    refused() { fail 5 "$1-restore refused our rules"; }
    if [ -n "$2" ]; then printf '%s' "$2" | ip6tables-restore --noflush -w & fi
    printf '%s' "$1" | iptables-restore --noflush -w || refused iptables
    [ -z "$2" ] || wait $! || refused ip6tables
    ;;
# Prints our rules with their counters.
counters)
    as_owner
    for family in $(families); do
        echo "$family"
        "$family-save" -c -t filter | grep SPLITBRAIN
    done
    ;;
# Lines `FROM TO ADDRESS PORT [GROUP]` on standard input: tries to connect on all at once, from
# within the group where there is one. Prints `FROM TO yes|no`; refused is an answer, too.
connect)
    as_owner
    exec 9>&-
    command -v bash >/dev/null || fail 5 "bash is missing, which tries to connect (/dev/tcp)"
    while read -r from to address port group; do
        sh -c '
            [ -z "$6" ] || echo $$ >"$6/cgroup.procs" || exit 5
            said=$(timeout 1 bash --norc -c "exec 3<>\"/dev/tcp/\$0/\$1\"" "$4" "$5" 2>&1)
            case $?$said in
            0* | *refused*) echo "$2 $3 yes" ;;
            *) echo "$2 $3 no" ;;
            esac' connect "" "$from" "$to" "$address" "$port" "$group" &
    done
    wait
    ;;
# Takes everything out and lets go of the machine.
release)
    as_owner
    undo || fail 5 "rules of ours are still there; see $here/journal"
    ;;
# The same for whoever holds it.
heal)
    [ -d "$here" ] || exit 0
    lock
    echo "held by $(first_line "$here/owner")"
    undo || fail 5 "rules of ours are still there; see $here/journal"
    ;;
# Prints who holds the machine, and what is missing there.
look)
    first_line "$here/owner"
    for program in flock setsid timeout bash cmp ip ss iptables-save iptables-restore; do
        command -v $program >/dev/null || echo "missing $program"
    done
    grep -q ' cgroup2 ' /proc/mounts || echo "missing cgroup2"
    ;;
guard)
    while sleep 1; do
        [ "$(first_line "$here/owner")" = "$owner" ] || exit 0
        [ "$(silent_for)" -gt "$silence" ] || continue
        lock
        [ "$(silent_for)" -gt "$silence" ] || { exec 9>&-; continue; }
        undo && exit 0
        exec 9>&-
    done
    ;;
esac
