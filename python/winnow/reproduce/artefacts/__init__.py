"""The artefacts, a file each. ARTEFACTS has them in the order of the page."""

from winnow.reproduce.artefacts import (
    area_power,
    breakdown,
    computation,
    design_space,
    dram_access,
    end_to_end,
    gpu,
    machine_winnow,
    pruning,
    quantization,
    rivals,
    roofline,
    selection,
)

ARTEFACTS = [
    dram_access.ARTEFACT,
    computation.ARTEFACT,
    gpu.ARTEFACT,
    breakdown.ARTEFACT,
    rivals.ARTEFACT,
    area_power.ARTEFACT,
    design_space.ARTEFACT,
    roofline.ARTEFACT,
    selection.ARTEFACT,
    quantization.ARTEFACT,
    pruning.ARTEFACT,
    end_to_end.ARTEFACT,
    machine_winnow.ARTEFACT,
]
