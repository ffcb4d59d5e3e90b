# servers.bash: what start and stop share: the servers, their ports and their processes.
#
# All state is in $dir: NAME.pid and NAME.log of each process, ports, etcd's data, certificates,
# tokens and kubeconfigs.
# shellcheck shell=bash
# shellcheck disable=SC2154 # whoever reads this in sets dir

# shellcheck disable=SC2034 # read by start
servers=(etcd kube-apiserver kube-controller-manager)

complain() {
    echo "${0##*/}: $*" >&2
    exit 1
}

# birth PID: when it began, as the kernel counts. A number that was given to another process since
# began at another time. Nothing where there is no such process, or it is dead and not yet collected;
# while one of its threads is not dead yet, it has its ports.
birth() {
    local stat state threads start
    stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 0
    read -r state _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ _ threads _ start _ <<<"${stat##*) }"
    [ "$state" = Z ] && [ "$threads" -le 1 ] || echo "$start"
}

# pid NAME: its process, nothing where it does not run.
pid() {
    local pid born
    read -r pid born 2>/dev/null <"$dir/$1.pid" || return 0
    [ "$(birth "$pid")" != "$born" ] || echo "$pid"
}

# launch NAME COMMAND…: in a process group of its own, so that no signal meant for us reaches it.
launch() {
    local name=$1 pid
    shift
    set -m
    "$@" >>"$dir/$name.log" 2>&1 </dev/null &
    pid=$!
    disown "$pid" # its end is no news
    set +m
    echo "$pid $(birth "$pid")" >"$dir/$name.pid"
}

# wait_until SECONDS COMMAND…: polls; false when the time is up.
wait_until() {
    local deadline=$((SECONDS + $1))
    shift
    until "$@"; do
        [ $SECONDS -lt $deadline ] || return 1
        sleep 0.1
    done
}

gone() { [ -z "$(pid "$1")" ]; }

# halt NAME: ends it without a warning, as a crash would; in its own time it might take ten seconds.
halt() {
    local pid
    pid=$(pid "$1")
    if [ -n "$pid" ]; then
        kill -KILL "$pid" 2>/dev/null || true
        wait_until 10 gone "$1" || complain "$1 (process $pid) does not end"
    fi
    rm -f "$dir/$1.pid"
}
