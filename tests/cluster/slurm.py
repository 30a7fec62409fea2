"""A real Slurm of one node on this machine, for tests: no systemd, no database, nothing outside its own folder.

Debian's packages suffice: `apt-get install --no-install-recommends munge slurmctld slurmd slurm-client`.
"""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import psutil

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "srun", "squeue", "scontrol", "scancel", "sinfo")
CPUS = 4  # stated, not counted: a machine of two may claim four
MEMORY_MB = 12_000
PATIENCE = 300  # seconds for an answer: a machine that does other work gives its daemons little

CONFIGURATION = """\
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket,cred_expire=5
CredType=cred/munge
SlurmctldPort={port}
SlurmdPort={next_port}
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
MailProg=/bin/true
# neither cgroups nor a database: a container has none
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
AccountingStorageType=accounting_storage/none
SwitchType=switch/none
MpiDefault=none
# memory is watched by polling, and a job that takes more than its own is killed
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=1
JobAcctGatherParams=OverMemoryKill
# one line of text for each job that ended: what the tests count
JobCompType=jobcomp/filetxt
JobCompLoc={folder}/ended_jobs.txt
SchedulerType=sched/backfill
SchedulerParameters=batch_sched_delay=0,sched_interval=1,bf_interval=1,defer_batch
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
GresTypes=gpu
SlurmdParameters=config_overrides
ReturnToService=2
MinJobAge=300
KillWait=30
OverTimeLimit=0
JobRequeue=1
NodeName={host} NodeAddr=127.0.0.1 CPUs={cpus} Boards=1 SocketsPerBoard=1 CoresPerSocket={cpus} ThreadsPerCore=1 \\
RealMemory={memory_mb} Gres=gpu:1 State=UNKNOWN
PartitionName=main Default=YES Nodes={host} MaxTime=UNLIMITED DefMemPerCPU=500 State=UP
PartitionName=gpu Nodes={host} MaxTime=UNLIMITED DefMemPerCPU=500 State=UP
"""


def missing_programs():
    """Return the programs of Slurm that this machine lacks."""
    return [program for program in PROGRAMS if _which(program) is None]


def _which(program):
    return shutil.which(program) or shutil.which(program, path="/usr/sbin:/sbin")


class Cluster:
    """One node that takes jobs within a `with` block; `variables` make Slurm's and Snakemake's programs find it."""

    def __init__(self):
        # munged wants a folder that everyone may enter, and a Unix socket's path has at most 107 bytes
        self.folder = Path(tempfile.mkdtemp(prefix="slurm-"))
        self.folder.chmod(0o755)
        self.variables = {
            "SLURM_CONF": f"{self.folder}/slurm.conf",
            "PATH": f"{self.folder}/bin:{os.environ['PATH']}",
        }
        self.daemons = []

    def __enter__(self):
        try:
            self._start_all()
        except BaseException:
            self.__exit__()
            raise
        return self

    def _start_all(self):
        """Write the configuration, start the three daemons and wait until the node is idle."""
        for name in ("state", "spool", "bin"):
            (self.folder / name).mkdir()
        key = self.folder / "munge.key"
        key.write_bytes(os.urandom(1024))
        key.chmod(0o600)
        host = socket.gethostname().split(".")[0]
        port = _free_ports()
        values = {"host": host, "user": _user(), "folder": self.folder, "port": port, "next_port": port + 1}
        (self.folder / "slurm.conf").write_text(
            CONFIGURATION.format(**values, cpus=CPUS, memory_mb=MEMORY_MB), encoding="utf-8"
        )
        # only a character device as its File lets Slurm set CUDA_VISIBLE_DEVICES: /dev/null pretends to be the GPU
        (self.folder / "gres.conf").write_text(f"NodeName={host} Name=gpu File=/dev/null\n", encoding="utf-8")
        self._wrap_srun()
        munge = [f"--{name}={self.folder}/munge.{name.split('-')[0]}" for name in ("pid-file", "log-file", "seed-file")]
        self._start("munged", "--foreground", f"--socket={self.folder}/munge.socket", f"--key-file={key}", *munge)
        self._start("slurmctld", "-D", "-c")
        self._start("slurmd", "-D")
        self._wait(lambda: self.ask("sinfo", "--noheader", "--partition=main", "--format=%T").strip() == "idle")

    def _start(self, program, *arguments):
        with (self.folder / f"{program}.out").open("w") as output:
            command = [_which(program), *arguments]
            variables = os.environ | self.variables
            # own session: a signal for the tests' terminal must not end the cluster before its jobs are cancelled
            daemon = subprocess.Popen(command, env=variables, stdout=output, stderr=output, start_new_session=True)
        self.daemons.append(daemon)

    def _wrap_srun(self):
        # the Slurm plugin removes SLURM_CONF from the environment of a job before it calls srun
        wrapper = self.folder / "bin/srun"
        call = f'SLURM_CONF={self.variables["SLURM_CONF"]} exec {_which("srun")} "$@"'
        wrapper.write_text(f"#!/bin/sh\n{call}\n", encoding="utf-8")
        wrapper.chmod(0o755)

    def _wait(self, ready, seconds=PATIENCE):
        deadline = time.monotonic() + seconds
        while not ready():
            if time.monotonic() > deadline:
                files = [*self.folder.glob("*.log"), *self.folder.glob("*.out")]
                logs = [file.read_text(errors="replace")[-1000:] for file in files]
                raise RuntimeError("Slurm did not come up:\n" + "\n".join(logs))
            time.sleep(0.1)

    def ask(self, *command):
        """Run one of Slurm's programs and return what it prints, errors included."""
        variables = os.environ | self.variables
        done = subprocess.run(
            command, env=variables, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=PATIENCE
        )
        return done.stdout

    def running_jobs(self):
        """Return {job number: comment}; the plugin writes the rule and its wildcards into the comment."""
        rows = self.ask("squeue", "--noheader", "--states=RUNNING", "--format=%i|%k").splitlines()
        return dict(row.split("|", 1) for row in rows if "|" in row)

    def processes_of(self, job):
        """Return the process numbers of a running job."""
        rows = self.ask("scontrol", "listpids", job).splitlines()[1:]
        return [int(row.split()[0]) for row in rows if row.split() and row.split()[0].isdigit()]

    def ended_jobs(self):
        """Return (job number, state) of every job that ended so far; one that was requeued ended more than once."""
        file = self.folder / "ended_jobs.txt"
        rows = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
        fields = [dict(item.split("=", 1) for item in row.split() if "=" in item) for row in rows]
        return [(row["JobId"], row["JobState"]) for row in fields]

    def set_node(self, state):
        """Set the node DOWN, or RESUME it."""
        host = socket.gethostname().split(".")[0]
        self.ask("scontrol", "update", f"NodeName={host}", f"State={state}", "Reason=test")

    def cancel_all(self):
        """Cancel every job, as Snakemake does, and wait until none is left."""
        # not --full: it tells srun to end, too, which has what it started killed while that still saves
        self.ask("scancel", f"--user={_user()}")
        self._wait(lambda: not self.ask("squeue", "--noheader", "--format=%i").strip())

    def __exit__(self, *_):
        self.ask("scancel", "--full", f"--user={_user()}")
        for daemon in reversed(self.daemons):
            daemon.send_signal(signal.SIGTERM)
            try:
                daemon.wait(timeout=10)
            except subprocess.TimeoutExpired:
                daemon.kill()
                daemon.wait()
        self._kill_leftovers()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _kill_leftovers(self):
        """Kill what jobs left running, as where a test killed their keeper: all have this folder in their PATH."""
        for process in psutil.process_iter(["environ"]):
            if str(self.folder) in (process.info["environ"] or {}).get("PATH", ""):
                with contextlib.suppress(psutil.NoSuchProcess):  # it has ended by itself
                    process.kill()


def _user():
    import pwd

    return pwd.getpwuid(os.getuid()).pw_name


def _free_ports():
    """Return a port such that it and the next are free."""
    while True:
        with socket.socket() as first, socket.socket() as second:
            first.bind(("127.0.0.1", 0))
            port = first.getsockname()[1]
            try:
                second.bind(("127.0.0.1", port + 1))
                return port
            except (OSError, OverflowError):
                continue
