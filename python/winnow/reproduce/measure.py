"""Runs of the machine, each once however many artefacts ask for it, with the command that repeats it."""

from pathlib import Path

import winnow
from winnow.report.stored_run import StoredRun
from winnow.reproduce import places
from winnow.reproduce.workload import Workload


class Measurements:
    """What artefacts measure with. `folder` takes the workload files; `full`: longer traces, where they are."""

    def __init__(self, folder, full=False):
        self.folder, self.full = Path(folder), full
        self._runs = {}
        self._asked = []
        long = full and places.LONG_DECODER.is_file()
        self.decoder = places.LONG_DECODER if long else places.DECODER
        self.decoder_name = "SmolLM2, 1,024 tokens" if long else "SmolLM2, 160 tokens"
        # The newest tokens of generation: what was pruned before counts.
        self.decoder_steps = (32, 32) if long else (29, 32)
        long = full and places.LONG_ENCODER.is_file()
        self.encoder = places.LONG_ENCODER if long else places.ENCODER
        self.encoder_name = "MiniLM, 512 tokens" if long else "MiniLM, 128 tokens"

    def run(self, trace, machine, policy=None, label=None, **options):
        """A StoredRun of winnow.run(...), as the report's functions take it. A Workload says itself what is fetched and
        takes no policy. Raises Error as winnow.run does."""
        if isinstance(trace, Workload):
            label = label or trace.label
            trace, policy = trace.write(self.folder / "workloads"), "spatten"
        machine = machine if isinstance(machine, winnow.Machine) else winnow.Machine(machine)
        policy = policy if isinstance(policy, winnow.Policy) else winnow.Policy(policy)
        key = (
            str(trace),
            machine.base,
            tuple(machine.changes()),
            policy.base,
            tuple(policy.changes()),
            tuple(sorted(options.items())),
        )
        if key not in self._runs:
            self._runs[key] = winnow.run(str(trace), machine, policy, **options)
        made = self._runs[key]
        self.note(self.tidy(made.command))
        return StoredRun(Path(str(trace)), label or policy.name, made.result, made.manifest)

    def tidy(self, command):
        """Without this machine's places: from the repository's root, DIR for the folder of results."""
        return command.replace(f"{self.folder}/", "DIR/").replace(f"{places.ROOT}/", "")

    def note(self, command):
        if command not in self._asked:
            self._asked.append(command)

    def commands(self):
        """Those asked for since the last call."""
        asked, self._asked = self._asked, []
        return asked

    # The traces that most artefacts look at.

    def on_decoder(self, machine, policy, label=None, **options):
        return self.run(self.decoder, machine, policy, label, steps=self.decoder_steps, **options)

    def on_encoder(self, machine, policy, label=None, **options):
        return self.run(self.encoder, machine_for_encoder(machine, self.encoder), policy, label, **options)


def machine_for_encoder(machine, trace):
    """Machine `winnow` has a pool of 1,024 tokens at D 64, which whole heads of a long encoder do not fit."""
    if trace == places.LONG_ENCODER and machine == "winnow":
        return winnow.Machine(machine, buffers="halves")
    return machine
