#!/usr/bin/env bash
# Within a cluster of two nodes: eight tasks share the cells of an experiment; one of them is killed and requeued, and one
# node is drained and resumed.
#   drive.sh PROGRAM EXPERIMENT OUT
set -eu
program=$1 experiment=$2 out=$3
"$program" slurm "$experiment" --tasks 8 --time 10 --partition test --out "$out" -o job.sh
job=$(sbatch --parsable job.sh)
wait_for() { for _ in $(seq 600); do "$@" && return; sleep 0.2; done; echo "waited in vain: $*" >&2; squeue >&2; exit 1; }
two_run() { [ "$(squeue -h -j "$job" -t RUNNING -o %i | wc -l)" = 2 ]; }
wait_for two_run
killed=$(squeue -h -j "$job" -t RUNNING -o %i | head -n 1)
scontrol requeue "$killed"
scontrol update NodeName=n2 State=DRAIN Reason=test
is_drained() { sinfo -h -n n2 -o %T | grep -q drain; }
wait_for is_drained
sleep 1
scontrol update NodeName=n2 State=RESUME
is_over() { [ -z "$(squeue -h -j "$job" -o %i)" ]; }
wait_for is_over
echo "restarts of the killed task: $(scontrol show job "$killed" | grep -o 'Restarts=[0-9]*' | head -n 1)"
echo "completed: $(scontrol show job "$job" | grep -c 'JobState=COMPLETED')"
