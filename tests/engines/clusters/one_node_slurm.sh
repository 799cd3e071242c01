#!/usr/bin/env bash
# A SLURM of one node on 127.0.0.1 for as long as a command runs: one_node_slurm.sh FOLDER COMMAND...
# Everything (key, sockets, state, logs, slurm.conf) lives in FOLDER; the command finds it by SLURM_CONF. Wants root.
set -euo pipefail
folder=$1
shift
node=$(hostname -s)
cores=$(getconf _NPROCESSORS_ONLN) # nproc obeys OMP_NUM_THREADS
memory=$(($(awk '/MemTotal/ {print $2}' /proc/meminfo) / 1024 - 256)) # MiB
read -r controller_port node_port < <(
  "${PYTHON:-python3}" -c 'import socket
a, b = (socket.create_server(("127.0.0.1", 0)) for _ in range(2))
print(a.getsockname()[1], b.getsockname()[1])'
)
mkdir -p "$folder"/{state,spool,run}
mkdir -p -m 700 "$folder/log"
export SLURM_CONF=$folder/slurm.conf
started=()

stop() {
  set +e
  timeout 10 scancel --user "$(id -un)" --full 2>/dev/null
  sleep 0.5
  [ ${#started[@]} -gt 0 ] && kill "${started[@]}" 2>/dev/null
  sleep 0.5
  [ ${#started[@]} -gt 0 ] && kill -9 "${started[@]}" 2>/dev/null
  # what a job left running is no child of ours any more: it is known by our configuration in its environment
  for process in /proc/[0-9]*; do
    number=${process#/proc/}
    [ "$number" != $$ ] && [ "$number" != "$PPID" ] && [ "$number" != "$BASHPID" ] || continue
    grep -qzx "SLURM_CONF=$SLURM_CONF" "$process/environ" 2>/dev/null && kill -9 "$number" 2>/dev/null
  done
  true
}
trap stop EXIT
trap 'exit 143' INT TERM

wait_until() { # what, command...
  local what=$1
  shift
  for _ in $(seq 150); do
    "$@" >/dev/null 2>&1 && return
    sleep 0.1
  done
  echo "one_node_slurm: $what does not come up" >&2
  tail -n 5 "$folder"/log/* >&2
  exit 1
}

(umask 077 && head -c 1024 /dev/urandom >"$folder/munge.key")
munged --foreground --force --key-file="$folder/munge.key" --socket="$folder/run/munge.socket" \
  --pid-file="$folder/run/munge.pid" --log-file="$folder/log/munge.log" --seed-file="$folder/run/munge.seed" \
  >"$folder/log/munge.out" 2>&1 &
started+=($!)
wait_until "munge" test -S "$folder/run/munge.socket"

cat >"$SLURM_CONF" <<CONF
ClusterName=one
SlurmctldHost=$node(127.0.0.1)
SlurmctldPort=$controller_port
SlurmdPort=$node_port
# bind to the named address, not to every one:
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
AuthType=auth/munge
AuthInfo=socket=$folder/run/munge.socket
SlurmUser=root
SlurmdUser=root
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/spool
SlurmctldPidFile=$folder/run/slurmctld.pid
SlurmdPidFile=$folder/run/slurmd.pid
SlurmctldLogFile=$folder/log/slurmctld.log
SlurmdLogFile=$folder/log/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
# a job that the scheduler missed when it was submitted would else wait a minute for the next round:
SchedulerParameters=sched_interval=2,batch_sched_delay=0
ReturnToService=2
MpiDefault=none
KillWait=2
NodeName=$node NodeAddr=127.0.0.1 CPUs=$cores RealMemory=$memory State=UNKNOWN
PartitionName=debug Nodes=$node Default=YES MaxTime=00:10:00 State=UP OverSubscribe=NO
CONF
slurmctld -D -i >"$folder/log/slurmctld.out" 2>&1 &
started+=($!)
slurmd -D -N "$node" >"$folder/log/slurmd.out" 2>&1 &
started+=($!)
node_is_idle() { sinfo --noheader --format=%T | grep -q idle; }
wait_until "the node" node_is_idle

timeout --kill-after=5 "${LIMIT:-300}" "$@" &
started+=($!)
wait $!
# ^ in the background, so that a signal ends this script at once
