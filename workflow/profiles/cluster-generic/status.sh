#!/bin/sh
# Say how one Slurm job is doing: running, success or failed. Asks slurmctld, so it works without accounting.
state=$(scontrol show job "$1" 2>/dev/null | sed -n 's/.*JobState=\([A-Z_]*\).*/\1/p')
if [ -z "$state" ]; then # slurmctld has forgotten the job: ask the accounting, if there is one
  state=$(sacct --jobs="$1" --allocations --noheader --format=State 2>/dev/null | tr -d ' +')
fi
case $state in
  COMPLETED) echo success ;;
  PENDING | CONFIGURING | RUNNING | COMPLETING | STAGE_OUT | SUSPENDED | REQUEUED | REQUEUE_HOLD | PREEMPTED) echo running ;;
  *) echo failed ;;
esac
