"""The processors of a host and the memory that is near to each."""

from __future__ import annotations

from dataclasses import dataclass

from tasks.facts.reading import filled, match, sections, understood, whole


@dataclass(frozen=True, slots=True)
class NumaNode:
    """One NUMA node: its logical processors (none on a node of memory alone) and its memory."""

    number: int
    cpus: tuple[int, ...]
    memory_mib: int


@dataclass(frozen=True, slots=True)
class Processor:
    """Online processors; `model` is None where the kernel names none (ARM); no nodes where it knows no NUMA."""

    model: str | None
    logical: int
    cores: int
    sockets: int
    nodes: tuple[NumaNode, ...]


@dataclass(frozen=True)
class ProcessorFact:
    """The host's Processor.

    Sample: "@@ cpus\\n# CPU,Core,Socket,Node\\n0,0,0,0\\n1,1,0,0\\n@@ model\\nmodel name : Intel(R) Xeon(R)…\\n
    @@ memory\\nNode 0 MemTotal:       24684092 kB"
    """

    command: str = (
        "echo '@@ cpus' && LC_ALL=C lscpu -p=CPU,CORE,SOCKET,NODE && echo '@@ model' && "
        "{ grep -m 1 '^model name' /proc/cpuinfo || :; } && echo '@@ memory' && "
        "for f in /sys/devices/system/node/node*/meminfo; do if [ -e $f ]; then grep MemTotal $f; fi; done"
    )

    @understood
    def parse(self, stdout: str) -> Processor:
        """Count what differs in each column."""
        table, model, memory = sections(stdout, "cpus", "model", "memory")
        rows = [line.split(",") for line in table if not line.startswith("#")]
        cpus = [(whole(cpu), core, socket, node) for cpu, core, socket, node in rows]
        found = [match(r"Node ([0-9]+) MemTotal: +([0-9]+) kB", line.strip()) for line in memory]
        if not cpus:
            raise ValueError("no processor")
        return Processor(
            filled(model[0].partition(":")[2]) if model else None,
            len(cpus),
            len({(core, socket) for _, core, socket, _ in cpus}),
            len({socket for _, _, socket, _ in cpus}),
            tuple(
                NumaNode(int(node[1]), tuple(cpu for cpu, _, _, on in cpus if on == node[1]), int(node[2]) // 1024)
                for node in found
            ),
        )
