#!/usr/bin/env bash
# A Slurm cluster of two nodes on this machine, on loopback ports of its own, for as long as a command runs:
#   cluster.sh COMMAND...
# The command finds SLURM_CONF in its environment. Exit code 77: the daemons are not installed, or this is not root, who
# alone may start jobs.
set -eu
for daemon in slurmctld slurmd munged sbatch scontrol squeue; do
    PATH="$PATH:/usr/sbin:/sbin" command -v "$daemon" >/dev/null || { echo "no $daemon: apt-get install slurmctld slurmd munge slurm-client" >&2; exit 77; }
done
[ "$(id -u)" = 0 ] || { echo "Slurm's daemons start jobs as root only" >&2; exit 77; }
export PATH="$PATH:/usr/sbin:/sbin"

# Munge wants a folder that only its owner can write to, all the way up: /tmp will do because it is sticky.
home=$(mktemp -d)
chmod 755 "$home"
pids=()
stop() {
    # The daemons that this script started, by their ids, the last one first.
    for ((i = ${#pids[@]} - 1; i >= 0; i--)); do kill "${pids[i]}" 2>/dev/null || true; done
    for pid in "${pids[@]}"; do wait "$pid" 2>/dev/null || true; done
    rm -rf "$home"
}
trap stop EXIT

port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
# One user runs all daemons, so that no files of the system are needed.
user=$(id -un)
mkdir -p "$home/state" "$home/munge" "$home/n1" "$home/n2"
chmod 700 "$home/munge"
head -c 1024 /dev/urandom > "$home/munge/key"
chmod 400 "$home/munge/key"
munged --foreground --force --key-file="$home/munge/key" --socket="$home/munge.socket" --pid-file="$home/munge/pid" \
    --log-file="$home/munge/log" --seed-file="$home/munge/seed" --num-threads=2 2> "$home/munge/err" &
pids+=($!)

cat > "$home/slurm.conf" <<CONF
ClusterName=loopback
SlurmctldHost=$(hostname -s)(127.0.0.1)
SlurmctldPort=$(port)
SlurmUser=$user
SlurmdUser=$user
AuthType=auth/munge
AuthInfo=socket=$home/munge.socket,cred_expire=5
CredType=cred/munge
StateSaveLocation=$home/state
SlurmdSpoolDir=$home/%n
SlurmctldPidFile=$home/slurmctld.pid
SlurmdPidFile=$home/%n.pid
SlurmctldLogFile=$home/slurmctld.log
SlurmdLogFile=$home/%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SwitchType=switch/none
MpiDefault=none
ReturnToService=2
MailProg=/bin/true
SlurmctldTimeout=30
SlurmdTimeout=30
NodeName=n1 NodeHostname=$(hostname -s) NodeAddr=127.0.0.1 Port=$(port) CPUs=1 State=UNKNOWN
NodeName=n2 NodeHostname=$(hostname -s) NodeAddr=127.0.0.1 Port=$(port) CPUs=1 State=UNKNOWN
PartitionName=test Nodes=n1,n2 Default=YES MaxTime=INFINITE State=UP OverSubscribe=NO
CONF
export SLURM_CONF="$home/slurm.conf"
slurmctld -D -f "$SLURM_CONF" 2> "$home/slurmctld.err" &
pids+=($!)
for node in n1 n2; do
    slurmd -D -N "$node" -f "$SLURM_CONF" 2> "$home/$node.err" &
    pids+=($!)
done
for _ in $(seq 60); do
    [ "$(sinfo -h -N -o %T 2>/dev/null | grep -c idle)" = 2 ] && break
    sleep 1
done
if [ "$(sinfo -h -N -o %T | grep -c idle)" != 2 ]; then
    echo "the nodes did not come up" >&2
    tail -n 20 "$home"/*.log "$home"/*.err "$home"/munge/log >&2 || true
    exit 1
fi
"$@"
