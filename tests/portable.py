"""The quick tests as other processors would compute them: `python -m tests.portable [PYTEST-ARGUMENT ...]`.

Instruction sets that this processor lacks are left out.
"""

import os
import subprocess
import sys

import torch

# Of torch, each beside what oneDNN may use with it; a processor has all that come before its own.
INSTRUCTIONS = {"default": "SSE41", "avx2": "AVX2", "avx512": "AVX512_CORE"}
PYTEST = (sys.executable, "-m", "pytest", "-q", "-m", "not slow", "--dist", "loadgroup")


def settings():
    """Environment variables of each run."""
    names = list(INSTRUCTIONS)
    own = torch.backends.cpu.get_cpu_capability().lower()
    known = names[: names.index(own) + 1] if own in names else []
    for threads in ("1", "2"):
        yield {"OMP_NUM_THREADS": threads}
    for name in known:
        yield {"OMP_NUM_THREADS": "1", "ATEN_CPU_CAPABILITY": name, "ONEDNN_MAX_CPU_ISA": INSTRUCTIONS[name]}


def main():
    """Run the tests under one setting after the other; exit with 1 if they fail under any."""
    failed = []
    for setting in settings():
        told = " ".join(f"{name}={value}" for name, value in setting.items())
        print(f"== {told}", flush=True)
        processes = "1" if setting["OMP_NUM_THREADS"] == "2" else "2"
        if subprocess.run((*PYTEST, "-n", processes, *sys.argv[1:]), env=os.environ | setting).returncode:
            failed.append(told)
    sys.exit("\n".join(("Failed under", *failed)) if failed else 0)


if __name__ == "__main__":
    main()
