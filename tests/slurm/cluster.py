# SPDX-License-Identifier: Apache-2.0
"""A cluster of one node in a scratch folder: munge, Slurm's controller and node daemon, on free ports of this machine.

Nothing of /etc/slurm or of a Slurm that already runs here is used: the daemons have a configuration, a key and
sockets of their own, and no control groups.
"""

import os
import pathlib
import shutil
import signal
import socket
import subprocess
import time

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "squeue", "scancel", "scontrol", "sinfo")
PATH = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
SECONDS = 90  # for anything to happen; a busy machine takes a while

CONFIGURATION = """\
ClusterName=tokencycle
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller_port}
SlurmdPort={node_port}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CredType=cred/munge
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MpiDefault=none
SwitchType=switch/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerParameters=sched_interval=1,sched_min_interval=100000,batch_sched_delay=0
MaxArraySize={most_tasks}
MinJobAge=600
KillWait=5
SlurmdTimeout=10
ReturnToService=2
SlurmdParameters=config_overrides
NodeName={host} NodeAddr=127.0.0.1 CPUs={processors} State=UNKNOWN
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""


def missing():
    """Why there can be no cluster here, or an empty text."""
    lacking = [program for program in PROGRAMS if not shutil.which(program, path=PATH)]
    if lacking:
        return f"{', '.join(lacking)} not found (Debian: slurm-wlm, munge)"
    return "" if os.geteuid() == 0 else "only root can start a node's daemon"


def free_ports(count):
    """Ports that nothing listens on."""
    sockets = [socket.socket() for _ in range(count)]
    for s in sockets:
        s.bind(("127.0.0.1", 0))
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports


class Cluster:
    """Starts with `with`; ends all of its processes at the end."""

    def __init__(self, folder, most_tasks, processors=6):
        self.folder = pathlib.Path(folder)
        self.configuration = self.folder / "slurm.conf"
        self.environment = {k: v for k, v in os.environ.items() if not k.startswith(("SLURM_", "SBATCH_"))}
        self.environment.update(PATH=PATH, SLURM_CONF=str(self.configuration))
        self.daemons = {}
        host = socket.gethostname().split(".")[0]
        controller_port, node_port = free_ports(2)
        self.text = CONFIGURATION.format(host=host, folder=self.folder, controller_port=controller_port,
                                         node_port=node_port, most_tasks=most_tasks, processors=processors)

    def __enter__(self):
        try:
            self.start_all()
        except BaseException:
            self.stop_all()
            raise
        return self

    def __exit__(self, *_):
        self.stop_all()

    def start_all(self):
        """Waits until the node takes jobs."""
        for name in ("state", "spool"):
            (self.folder / name).mkdir(parents=True)
        self.configuration.write_text(self.text)
        key = self.folder / "munge.key"
        key.write_bytes(os.urandom(128))
        key.chmod(0o600)
        self.start("munged", "--foreground", "--force", f"--socket={self.folder}/munge.socket", f"--key-file={key}",
                   f"--pid-file={self.folder}/munged.pid", f"--seed-file={self.folder}/munged.seed",
                   f"--log-file={self.folder}/munged.log")
        self.until("munge answers", lambda: (self.folder / "munge.socket").exists())
        self.start("slurmctld", "-D", "-c", "-f", self.configuration)
        self.start("slurmd", "-D", "-f", self.configuration)
        self.until("the node is idle", lambda: "idle" in self.output("sinfo", "-h", "-o", "%t", check=False))

    def stop_all(self):
        """Jobs first: their processes belong to the node's daemon."""
        if "slurmd" in self.daemons:
            self.output("scancel", "--me", check=False)
            end = time.monotonic() + 20
            while self.output("squeue", "-h", check=False) and time.monotonic() < end:
                time.sleep(0.1)
        for name in ("slurmd", "slurmctld", "munged"):
            self.stop(name, signal.SIGTERM)

    def start(self, name, *arguments):
        """A daemon in the foreground; the folder keeps what it prints."""
        with open(self.folder / f"{name}.out", "ab") as out:
            self.daemons[name] = subprocess.Popen([shutil.which(name, path=PATH), *map(str, arguments)], stdout=out,
                                                  stderr=out, stdin=subprocess.DEVNULL, env=self.environment)

    def stop(self, name, number):
        """Ends a daemon with a signal, and waits for that."""
        daemon = self.daemons.pop(name, None)
        if daemon is None:
            return
        daemon.send_signal(number)
        try:
            daemon.wait(20)
        except subprocess.TimeoutExpired:
            daemon.kill()
            daemon.wait()

    def kill_node(self):
        """As if the node's daemon had crashed; its jobs' processes stay."""
        self.stop("slurmd", signal.SIGKILL)

    def start_node(self):
        """The daemon again: it finds the jobs that it had."""
        self.start("slurmd", "-D", "-f", self.configuration)

    def output(self, *command, check=True):
        """What a command prints."""
        result = subprocess.run([*map(str, command)], capture_output=True, text=True, env=self.environment,
                                stdin=subprocess.DEVNULL)
        if check and result.returncode != 0:
            raise RuntimeError(f"{' '.join(map(str, command))}: exit code {result.returncode}\n"
                               f"{result.stdout}{result.stderr}")
        return result.stdout.strip()

    def tasks(self, *states):
        """(array, task) of the jobs in the queue, in these states or in any."""
        chosen = ["-t", ",".join(states)] if states else []
        lines = self.output("squeue", "-h", "-r", *chosen, "-o", "%F %K").splitlines()
        return [tuple(line.split()) for line in lines]

    def until(self, what, true):
        """Waits for something; says what has not come."""
        end = time.monotonic() + SECONDS
        while not true():
            for name, daemon in self.daemons.items():
                if daemon.poll() is not None:
                    raise RuntimeError(f"{name} has ended: {self.last_lines(name)}")
            if time.monotonic() > end:
                raise RuntimeError(f"waited {SECONDS} s in vain until {what}\n"
                                   f"{self.output('squeue', '-r', check=False)}\n"
                                   f"{self.last_lines('slurmctld')}\n{self.last_lines('slurmd')}")
            time.sleep(0.05)

    def last_lines(self, name):
        """Of a daemon's log and of what it printed."""
        lines = []
        for file in (self.folder / f"{name}.log", self.folder / f"{name}.out"):
            if file.exists():
                lines += file.read_text(errors="replace").splitlines()[-15:]
        return "\n".join(lines)
