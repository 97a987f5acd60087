"""The paper's figures beside ours, by one command (docs/reproduce.md).

from winnow import reproduce
made = reproduce.run("results/reproduce", only=["dram-access"])
"""

from winnow.reproduce.artefacts import ARTEFACTS
from winnow.reproduce.running import Reproduced, chosen, run

__all__ = ["ARTEFACTS", "Reproduced", "chosen", "run"]
