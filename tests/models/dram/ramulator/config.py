"""Write the configurations under which Ramulator 2.1 gives the rows of the reference files: one channel of HBM2.

PYTHONPATH=RAMULATOR/python python3 config.py FOLDER    -> FOLDER/<preset>_<scheduler>.yaml
"""

import json
import pathlib
import sys

import ramulator

# As the controllers of hbm2.yaml; what is not named here stays as Ramulator has it (write queue 32, drained
# from 0.8 to 0.2 of it).
PRESETS = {"pc": {"pseudochannel": 1, "read_queue": 32}, "ch": {"pseudochannel": 2, "read_queue": 64}}
SCHEDULERS = {"rowhit": ramulator.scheduler.FRFCFSRowHit, "frfcfs": ramulator.scheduler.FRFCFS}


def controller(preset: dict, scheduler) -> dict:
    """Configuration of one controller, with the plugin that counts commands (see driver.cpp)."""
    config = ramulator.controller.HBM12(
        dram=ramulator.dram.HBM2(
            org_preset="HBM2_4Gb", timing_preset="HBM2_2000Mbps", pseudochannel=preset["pseudochannel"]
        ),
        scheduler=scheduler(),
        refresh_manager=ramulator.refresh_manager.AllBank(),
        row_policy=ramulator.row_policy.Open(),
        addr_mapper=ramulator.addr_mapper.PassThroughAddrMapper(),
        read_buffer_size=preset["read_queue"],
    ).to_config()
    return config | {"controller_plugins": [{"impl": "CommandCount"}]}


if __name__ == "__main__":
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for preset, settings in PRESETS.items():
        for name, scheduler in SCHEDULERS.items():
            text = json.dumps({"controller": controller(settings, scheduler)}, indent=1)  # JSON is YAML
            (folder / f"{preset}_{name}.yaml").write_text(text)
