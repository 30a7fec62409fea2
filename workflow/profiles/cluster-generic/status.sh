#!/bin/sh
# Say how one Slurm job is doing: running, success or failed. Asks slurmctld, so it works without accounting.
answer=$(scontrol show job "$1" 2>&1)
state=$(printf '%s\n' "$answer" | sed -n 's/.*JobState=\([A-Z_]*\).*/\1/p')
if [ -z "$state" ]; then # slurmctld has forgotten the job, or does not answer: ask the accounting, if there is one
  state=$(sacct --jobs="$1" --allocations --noheader --format=State 2>/dev/null | tr -d ' +')
fi
case $answer in
  *"Invalid job id"*) state=${state:-FORGOTTEN} ;;
esac
case $state in
  COMPLETED) echo success ;;
  # nobody answered: the job may run still, and a second one would write the same files
  "") echo running ;;
  PENDING | CONFIGURING | RUNNING | COMPLETING | STAGE_OUT | SUSPENDED | REQUEUED | REQUEUE_HOLD | PREEMPTED) echo running ;;
  *) echo failed ;;
esac
