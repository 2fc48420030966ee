"""Run the quick tests as other processors would: `python -m tests.portable [PYTEST-ARGUMENT ...]`.

Instruction sets that this processor lacks are skipped.
"""

import os
import subprocess
import sys

import torch

# Instruction sets of torch with those of oneDNN. A processor supports all sets before its own.
INSTRUCTIONS = {"default": "SSE41", "avx2": "AVX2", "avx512": "AVX512_CORE"}
PYTEST = (sys.executable, "-m", "pytest", "-q", "-m", "not slow", "--dist", "loadgroup")


def settings():
    """Environment variables of each run."""
    names = list(INSTRUCTIONS)
    best = torch.backends.cpu.get_cpu_capability().lower()
    supported = names[: names.index(best) + 1] if best in names else []
    for threads in ("1", "2"):
        yield {"OMP_NUM_THREADS": threads}
    for name in supported:
        yield {"OMP_NUM_THREADS": "1", "ATEN_CPU_CAPABILITY": name, "ONEDNN_MAX_CPU_ISA": INSTRUCTIONS[name]}


def main():
    """Run the tests under each setting, and exit with 1 if they fail under any."""
    failed = []
    for setting in settings():
        title = " ".join(f"{name}={value}" for name, value in setting.items())
        print(f"== {title}", flush=True)
        processes = "1" if setting["OMP_NUM_THREADS"] == "2" else "2"
        if subprocess.run((*PYTEST, "-n", processes, *sys.argv[1:]), env=os.environ | setting).returncode:
            failed.append(title)
    sys.exit("\n".join(("Failed under", *failed)) if failed else 0)


if __name__ == "__main__":
    main()
